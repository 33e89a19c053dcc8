#pragma once

#include <string_view>

namespace godwit::server {

// Whether `text` is an IP address with a port: "192.0.2.1:8443", "[::1]:8443". A name is none.
[[nodiscard]] bool IsAddress(std::string_view text);
// The same, and this machine alone reaches it: 127.0.0.0/8, ::1.
[[nodiscard]] bool IsLoopback(std::string_view text);

}  // namespace godwit::server
