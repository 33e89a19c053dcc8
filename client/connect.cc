#include "client/connect.h"

#include <algorithm>
#include <utility>

#include "crypto/secret.h"
#include "protocol/session.h"

namespace godwit::client {

std::unique_ptr<transport::RealmClient> ConnectTo(const RealmInfo& info,
                                                  const protocol::Device& device,
                                                  transport::CallOptions options) {
  transport::RealmAddress address;
  for (const auto& [host, pin] : info.hosts) {
    if (address.host_port.empty()) address.host_port = host;
    address.pins.push_back(pin);
  }
  auto client = std::make_unique<transport::RealmClient>(std::move(address), options);
  client->SetProver(
      [realm = info.realm(), &device](const base::Sha256Hash& spki,
                                      base::ByteSpan server_nonce) -> base::Result<base::Bytes> {
        protocol::SessionRequest request;
        request.realm = realm;
        request.device = device.id();
        request.spki = spki;
        if (server_nonce.size() != request.server_nonce.size()) {
          return base::Error(base::Code::kInternal, "the service gave a nonce of another length");
        }
        std::ranges::copy(server_nonce, request.server_nonce.begin());
        crypto::FillRandom(request.client_nonce);
        return protocol::SignSessionRequest(request, device.signing_key());
      });
  return client;
}

}  // namespace godwit::client
