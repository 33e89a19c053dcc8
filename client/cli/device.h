#pragma once

#include <chrono>
#include <string>

#include "client/cli/session.h"

namespace godwit::cli {

// `godwit device list`.
struct DeviceListOptions {
  bool everybody = false;  // else this member's own
  bool all = false;        // revoked ones too
};
ExitCode DeviceList(const Context& context, const DeviceListOptions& options);

// `godwit device add`: invitations for another device of this person's own, in each realm.
struct DeviceAddOptions {
  std::chrono::minutes wait{30};  // for the new device
};
ExitCode DeviceAdd(const Context& context, const DeviceAddOptions& options);

// `godwit device confirm`: answers an alarm of the self-audit.
struct DeviceConfirmOptions {
  std::string id;  // the first digits of what the alarm names, at least 8
};
ExitCode DeviceConfirm(const Context& context, const DeviceConfirmOptions& options);

// `godwit device revoke`.
struct DeviceRevokeOptions {
  std::string target;  // a colleague's handle, or the first digits of a device's id, at least 8
  std::string reason;  // lost, retired or compromised
};
ExitCode DeviceRevoke(const Context& context, const DeviceRevokeOptions& options);

}  // namespace godwit::cli
