#pragma once

#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit device list`.
struct DeviceListOptions {
  bool everybody = false;  // else this member's own
  bool all = false;        // revoked ones too
};
ExitCode DeviceList(const Context& context, const DeviceListOptions& options);

// `godwit device revoke`.
struct DeviceRevokeOptions {
  std::string target;  // a colleague's handle, or the first digits of a device's id, at least 8
  std::string reason;  // lost, retired or compromised
};
ExitCode DeviceRevoke(const Context& context, const DeviceRevokeOptions& options);

}  // namespace godwit::cli
