#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "client/cli/facts.h"
#include "client/cli/inviting.h"
#include "client/cli/member.h"
#include "client/import/csv.h"
#include "client/import/mapping.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using base::Status;
using client::Newcomer;

base::Result<std::vector<Newcomer>> FromToml(const std::string& text) {
  toml::table root;
  try {
    root = toml::parse(text);
  } catch (const toml::parse_error&) {
    return Error(Code::kInvalidArgument, "the file of members is no TOML");
  }
  const Error form =
      Error(Code::kInvalidArgument,
            "a file of members has [[member]] tables with handle, name and roles alone");
  const toml::array* members = root.get_as<toml::array>("member");
  if (root.size() != 1 || members == nullptr) return form;
  std::vector<Newcomer> newcomers;
  for (const toml::node& node : *members) {
    const toml::table* row = node.as_table();
    if (row == nullptr || row->size() != 3) return form;
    const auto handle = (*row)["handle"].value<std::string>();
    const auto name = (*row)["name"].value<std::string>();
    const toml::array* roles = row->get_as<toml::array>("roles");
    if (!handle || !name || roles == nullptr) return form;
    Newcomer newcomer{*handle, *name, 0};
    for (const toml::node& role_node : *roles) {
      const auto role = ReadRoles(role_node.value_or(std::string_view()));
      if (!role) return role.error();
      newcomer.roles |= *role;
    }
    newcomers.push_back(std::move(newcomer));
  }
  return newcomers;
}

base::Result<std::vector<Newcomer>> FromCsv(const std::string& text) {
  const auto source = client::OpenMemory(text);
  const auto first = client::FirstRecord(*source);
  if (!first) return first.error();
  client::CsvReader reader(*source, ',', *first, 1);
  const Error form =
      Error(Code::kInvalidArgument, "a file of members has the columns handle, name and roles");
  client::CsvRecord record;
  std::vector<Newcomer> newcomers;
  for (bool header = true;; header = false) {
    const auto more = reader.Next(record);
    if (!more) return more.error();
    if (!*more) {
      if (header) return form;
      return newcomers;
    }
    if (record.fault || record.cells.size() != 3) return form;
    if (header) {
      if (record.cells != std::vector<std::string>{"handle", "name", "roles"}) return form;
      continue;
    }
    const auto roles = ReadRoles(record.cells[2]);
    if (!roles) return roles.error();
    newcomers.push_back({record.cells[0], record.cells[1], *roles});
  }
}

}  // namespace

base::Result<protocol::Roles> ReadRoles(std::string_view text) {
  constexpr std::string_view kSeparators = " ,;+";
  protocol::Roles roles = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(kSeparators), text.size());
    const std::string_view name = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (name.empty()) continue;
    const auto role = protocol::RoleByName(name);
    if (!role) {
      return Error(Code::kInvalidArgument,
                   "the roles are owner, admin, auditor, caseworker, supervisor, intake, "
                   "coordinator and route");
    }
    roles |= *role;
  }
  if (roles == 0) return Error(Code::kInvalidArgument, "name at least one role");
  return roles;
}

base::Result<std::vector<Newcomer>> ReadNewcomers(const std::string& path) {
  const auto text = ReadText(path);
  if (!text) return text.error();
  auto newcomers = path.ends_with(".toml") ? FromToml(*text) : FromCsv(*text);
  if (!newcomers) return newcomers.error();
  if (newcomers->empty()) return Error(Code::kInvalidArgument, "the file names nobody");
  std::set<std::string> handles;
  for (const Newcomer& newcomer : *newcomers) {
    if (!client::IsHandle(newcomer.handle)) {
      return Error(Code::kInvalidArgument,
                   "a handle has 1 to 64 bytes of text, with no spaces around it");
    }
    if (!handles.insert(newcomer.handle).second) {
      return Error(Code::kInvalidArgument, "the file has a handle twice");
    }
  }
  return newcomers;
}

ExitCode MemberInvite(const Context& context, const MemberInviteOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("invite", why); };
  std::vector<Newcomer> newcomers;
  if (!options.file.empty()) {
    auto read = ReadNewcomers(options.file);
    if (!read) return fail(read.error());
    newcomers = *std::move(read);
  } else {
    const auto roles = ReadRoles(options.roles);
    if (!roles) return fail(roles.error());
    if (!client::IsHandle(options.handle)) {
      return fail(Error(Code::kInvalidArgument, "name the newcomer's handle, --name and --roles"));
    }
    newcomers.push_back({options.handle, options.name, *roles});
  }
  return RunInviting(
      context, "invite",
      [&](Inviting& inviting) -> Status {
        for (const Newcomer& newcomer : newcomers) {
          if (const Status invited = inviting.Invite(newcomer); !invited) return invited;
        }
        return {};
      },
      options.wait);
}

}  // namespace godwit::cli
