#include "services/server/address.h"

#include <arpa/inet.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

namespace godwit::server {
namespace {

constexpr unsigned kLoopbackNet = 127;

struct Parsed {
  bool loopback = false;
};

std::optional<Parsed> Parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  std::uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (port.empty() || error != std::errc() || end != port.data() + port.size()) return std::nullopt;
  std::string host(text.substr(0, colon));
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    in6_addr six{};
    if (inet_pton(AF_INET6, host.c_str(), &six) != 1) return std::nullopt;
    return Parsed{IN6_IS_ADDR_LOOPBACK(&six) != 0};
  }
  in_addr four{};
  if (inet_pton(AF_INET, host.c_str(), &four) != 1) return std::nullopt;
  return Parsed{(ntohl(four.s_addr) >> 24) == kLoopbackNet};
}

}  // namespace

bool IsAddress(std::string_view text) { return Parse(text).has_value(); }

bool IsLoopback(std::string_view text) {
  const auto parsed = Parse(text);
  return parsed && parsed->loopback;
}

}  // namespace godwit::server
