// What a program of the same user may send to an agent, and the state of a keystore.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "client/agent.h"
#include "client/realm_keys.h"
#include "crypto/init.h"

using namespace godwit;

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (!crypto::Init()) std::abort();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const base::ByteSpan input(bytes, size);
  static_cast<void>(client::DecodeAgentRequest(input).ok());
  const auto realm = client::DecodeState(*protocol::DeviceSeed::Random(), input);
  if (!realm) return 0;
  // One value has one encoding.
  const auto again = client::EncodeState(realm->info, realm->store_key);
  if (!again || base::ToBytes(again->Expose()) != base::ToBytes(input)) std::abort();
  return 0;
}
