#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "bench/comparison.h"
#include "bench/world.h"

namespace godwit::bench {

// 32 clients, each with a connection and a vault of its own, that send sealed records of 1 KiB over
// TLS, `records` a call and `calls` calls one after the other; against pgbench with the same rows.
// In records a second: larger is better. Records are sealed and signed before the clock starts.
inline constexpr std::size_t kClients = 32;
Comparison MeasureCommit(World& world, const std::string& name, std::size_t records,
                         std::size_t calls);

// A coordinator's first reading of `cases` cases (SyncPinnedRows with an empty store); against the
// calls of libsodium that it makes to verify and open them. In seconds: smaller is better.
Comparison MeasureBoard(World& world, std::size_t cases);

// An import of `cases` cases; against the calls of libsodium that it makes, and the time in which
// commit_batch would have written as many entries. In seconds: smaller is better.
Comparison MeasureImport(World& world, std::uint32_t cases, double records_per_second);

}  // namespace godwit::bench
