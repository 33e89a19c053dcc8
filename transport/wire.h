#pragma once

#include <cstddef>

namespace godwit::transport {

// Metadata of the realm service's calls: the session's token, and in the trailers of a failed call
// the name of its code (docs/protocol.md section 8).
inline constexpr char kTokenKey[] = "godwit-token-bin";
inline constexpr char kCodeKey[] = "godwit-code";

// The longest message of the wire, in bytes: what a call may carry, and what protobuf adds to it.
inline constexpr std::size_t kMaxRequestSize = (std::size_t{4} << 20) + (std::size_t{64} << 10);
// Parts of a stream are cut at about a megabyte; one record and its entries can be longer.
inline constexpr std::size_t kMaxResponseSize = std::size_t{8} << 20;

}  // namespace godwit::transport
