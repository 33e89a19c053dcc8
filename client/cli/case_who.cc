#include "client/cli/case_who.h"

#include "client/case_access.h"
#include "client/cli/reconcile.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using client::AccessState;
using client::CasePart;
using protocol::Compartment;
using protocol::Kind;

std::string_view StateName(AccessState state) {
  switch (state) {
    case AccessState::kActive:
      return "active";
    case AccessState::kWithoutKey:
      return "without_key";
    case AccessState::kLeaving:
      return "leaving";
    case AccessState::kImporter:
      return "importer";
  }
  return "";
}

// Looked up where it is printed.
std::string_view StateText(AccessState state) {
  switch (state) {
    case AccessState::kActive:
      return Translatable("active");
    case AccessState::kWithoutKey:
      return Translatable("gets no new key now");
    case AccessState::kLeaving:
      return Translatable("has this key, and gets no other");
    case AccessState::kImporter:
      return Translatable("imported it");
  }
  return "";
}

// Looked up where it is printed.
std::string_view PartText(Kind kind) {
  switch (kind) {
    case Kind::kSensitive:
      return Translatable("assessment and notes");
    case Kind::kPerson:
      return Translatable("the person");
    default:
      return Translatable("the case");
  }
}

Json PartJson(const CasePart& part) {
  Json readers = Json::array();
  for (const auto& reader : part.readers) {
    readers.push_back({{"member", base::ToHex(reader.member.bytes())},
                       {"name", reader.name},
                       {"roles", RoleNames(reader.roles)},
                       {"perm", reader.perm},
                       {"may", PermText(reader.perm)},
                       {"state", StateName(reader.state)},
                       {"since_epoch", reader.since_epoch},
                       {"epochs", reader.epochs}});
  }
  Json former = Json::array();
  for (const auto& reader : part.former) {
    former.push_back({{"member", base::ToHex(reader.member.bytes())},
                      {"name", reader.name},
                      {"perm", reader.perm},
                      {"until_epoch", reader.until_epoch},
                      {"epochs", reader.epochs}});
  }
  Json writers = Json::array();
  for (const auto& writer : part.writers) {
    writers.push_back({{"member", base::ToHex(writer.member.bytes())},
                       {"name", writer.name},
                       {"entries", writer.entries},
                       {"records", writer.records}});
  }
  return {{"part", protocol::Name(part.kind)},
          {"vault", base::ToHex(part.vault.bytes())},
          {"epoch", part.epoch},
          {"history_hidden_at", part.history_hidden_at},
          {"readers", readers},
          {"former", former},
          {"writers", writers}};
}

void ShowPart(Output& output, const CasePart& part) {
  output.Line(Translated("\nWho reads {0}, epoch {1}", LookUp(PartText(part.kind)), part.epoch),
              Style::kStrong);
  Table readers{{Shrinking("name"), Shrinking("roles"), Column("may"), Number("since epoch"),
                 Column("has keys of"), Column("state")},
                {}};
  for (const auto& reader : part.readers) {
    readers.rows.push_back(
        {reader.name, RolesLabel(reader.roles), LookUp(PermText(reader.perm)),
         std::to_string(reader.since_epoch), EpochsText(reader.epochs),
         Cell(LookUp(StateText(reader.state)),
              reader.state == AccessState::kActive ? Style::kPlain : Style::kWarning)});
  }
  output.Show(readers);
  for (const std::uint32_t epoch : part.history_hidden_at) {
    output.Line(
        Translated("Whoever came with epoch {0} or later was given no history from before it.",
                   epoch),
        Style::kFaint);
  }
  if (!part.former.empty()) {
    output.Line("Could read it, and may have kept it:");
    Table former{{Shrinking("name"), Column("could"), Number("until epoch"), Column("had keys of")},
                 {}};
    for (const auto& reader : part.former) {
      former.rows.push_back({reader.name, LookUp(PermText(reader.perm)),
                             std::to_string(reader.until_epoch), EpochsText(reader.epochs)});
    }
    output.Show(former);
  }
  output.Line("Wrote in it:");
  Table writers{{Shrinking("name"), Number("entries"), Number("of records")}, {}};
  for (const auto& writer : part.writers) {
    writers.rows.push_back(
        {writer.name, std::to_string(writer.entries), std::to_string(writer.records)});
  }
  output.Show(writers);
}

}  // namespace

std::string EpochsText(const std::vector<std::uint32_t>& epochs) {
  std::string text;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    std::size_t last = i;
    while (last + 1 < epochs.size() && epochs[last + 1] == epochs[last] + 1) ++last;
    if (!text.empty()) text += ", ";
    if (last <= i + 1) {
      text += std::to_string(epochs[i]);
      if (last > i) text += ", " + std::to_string(epochs[last]);
    } else {
      text += Translated("{0} to {1}", epochs[i], epochs[last]);
    }
    i = last;
  }
  return text.empty() ? Translated("none") : text;
}

ExitCode CaseWho(const Context& context, const CaseWhoOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const base::Error& why) {
    return output.Fail("say who reads the case", why);
  };
  auto session =
      Session::Open(context, {Compartment::kIdentity, Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  if (!options.offline) {
    if (const auto synced = SyncNames(session->organisation()); !synced) {
      return fail(synced.error());
    }
  }
  const auto access = client::WhoReads(session->organisation(), options.code, options.offline);
  if (!access) return fail(access.error());
  Json parts = Json::array();
  for (const CasePart& part : access->parts) parts.push_back(PartJson(part));
  Json not_yours = Json::array();
  for (const Kind kind : access->not_yours) not_yours.push_back(protocol::Name(kind));
  output.Emit({{"code", access->code}, {"parts", parts}, {"not_yours", not_yours}});

  output.Line(Translated("Case {0}", CodeText(access->code)), Style::kStrong);
  for (const CasePart& part : access->parts) ShowPart(output, part);
  for (const Kind kind : access->not_yours) {
    output.Line(Translated("\nWho reads {0} is not yours to see.", LookUp(PartText(kind))),
                Style::kFaint);
  }
  return ExitCode::kOk;
}

}  // namespace godwit::cli
