#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "client/cli/session.h"
#include "client/invite.h"

namespace godwit::cli {

// Roles as people write them: "caseworker,intake". INVALID_ARGUMENT: none, or one that is no role.
base::Result<protocol::Roles> ReadRoles(std::string_view text);

// Reads the people to invite: a file that ends in .toml has a [[member]] table for each, with
// handle, name and roles (an array); any other is CSV with a header of these three columns, the
// roles separated by spaces, commas, ";" or "+". NOT_FOUND, IO: the file. INVALID_ARGUMENT: its
// form, a handle twice, or nobody in it.
base::Result<std::vector<client::Newcomer>> ReadNewcomers(const std::string& path);

// `godwit member invite`.
struct MemberInviteOptions {
  std::string handle;
  std::string name;
  std::string roles;
  std::string file;
  std::chrono::minutes wait{30};  // for the newcomers
};
ExitCode MemberInvite(const Context& context, const MemberInviteOptions& options);

// `godwit member list`.
struct MemberListOptions {
  bool all = false;      // removed ones too
  bool offline = false;  // as of the last sync
};
ExitCode MemberList(const Context& context, const MemberListOptions& options);

// `godwit member role`.
struct MemberRoleOptions {
  std::string handle;
  std::string roles;
};
ExitCode MemberRole(const Context& context, const MemberRoleOptions& options);

// `godwit member remove`.
struct MemberRemoveOptions {
  std::string handle;
  std::string reason;  // left, dismissed, compromised or lost
};
ExitCode MemberRemove(const Context& context, const MemberRemoveOptions& options);

}  // namespace godwit::cli
