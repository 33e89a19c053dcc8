#pragma once

#include <memory>

#include "client/realm_keys.h"
#include "protocol/keys.h"
#include "transport/realm_client.h"

namespace godwit::client {

// A client of a realm's service that opens sessions for `device`, which must outlive it.
std::unique_ptr<transport::RealmClient> ConnectTo(const RealmInfo& info,
                                                  const protocol::Device& device,
                                                  transport::CallOptions options = {});

}  // namespace godwit::client
