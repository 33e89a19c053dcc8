#pragma once

#include <cstddef>

namespace godwit::crypto {

// The size of a slot, in bytes: every key that a Secret holds fits into one.
inline constexpr std::size_t kSlotSize = 64;

// Returns kSlotSize zero bytes in a locked slab of 64 KiB from sodium_malloc (guard pages, kept out
// of core files), or nullptr when no further slab can be had or locked: sodium_malloc hides a
// failed mlock, so it is asked for again and checked. One allocation a key would exhaust
// vm.max_map_count. Thread-safe.
void* TakeSlot();

// Wipes a slot that TakeSlot gave and takes it back. Thread-safe.
void GiveSlot(void* slot) noexcept;

// Returns how many slots are in use: for tests, and for a status page.
std::size_t SlotsInUse();

}  // namespace godwit::crypto
