#include "client/cli/export.h"

#include <google/protobuf/descriptor.h>

#include "client/cases.h"
#include "client/casework/assign.h"
#include "client/cli/act.h"
#include "client/cli/case.h"
#include "client/cli/own_file.h"
#include "client/cli/render.h"
#include "client/directory.h"
#include "client/entries.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;

// Whether somebody wants more than one case: several codes, or a pattern. A code may end in an
// asterisk, its check symbol.
bool AsksForMany(const std::vector<std::string>& codes) {
  if (codes.size() != 1) return true;
  const std::string& code = codes.front();
  return !client::CanonicalCaseCode(code) &&
         (code == "all" || code.find_first_of("*?%,") != std::string::npos);
}

Json RecordJson(const client::VaultFile::Entry& entry, const client::Directory& directory) {
  const auto& type = *Record::descriptor()->FindFieldByNumber(entry.content.body_case());
  Json json = {{"id", client::ShortId(entry.record)},
               {"type", type.name()},
               {"content", ContentJson(client::BodyOf(entry.content))},
               {"by", directory.NameOf(entry.author)},
               {"changed_by", directory.NameOf(entry.changed_by)},
               {"waits", entry.waits},
               {"entered_in_error", entry.content.entered_in_error()}};
  Json unanswered = Json::object();
  for (const auto& row : entry.content.unanswered()) unanswered[row.field()] = EnumText(row.why());
  json["unanswered"] = std::move(unanswered);
  return json;
}

// All records of a vault that this person reads, by their type.
base::Result<Json> PartJson(client::Realm& realm, const client::VaultFile& file) {
  const auto directory = client::Directory::Read(realm);
  if (!directory) return directory.error();
  Json records = Json::array();
  const auto& bodies = *Record::descriptor()->oneof_decl(0);
  for (int i = 0; i < bodies.field_count(); ++i) {
    const auto body = static_cast<Record::BodyCase>(bodies.field(i)->number());
    if (body == Record::kAct) continue;  // they are the history
    for (const auto* entry : file.Of(body, true)) records.push_back(RecordJson(*entry, *directory));
  }
  return Json{{"records", std::move(records)}, {"unreadable", file.unreadable()}};
}

base::Result<Json> CaseFileJson(client::Organisation& organisation,
                                const client::OpenedCase& opened, bool offline) {
  client::Realm& cases = **organisation.Get(Compartment::kCases);
  const auto directory = client::Directory::Read(cases);
  if (!directory) return directory.error();
  Json json = {{"godwit_export", 1},
               {"written", TimeText(base::SystemClock().NowMs())},
               {"by", directory->NameOf(cases.member())},
               {"as_of_last_sync", opened.offline},
               {"case", CaseJson(opened.row)},
               {"link", LinkName(opened.link)}};
  Json history = Json::array();
  for (const auto& act : opened.file.acts().acts) {
    history.push_back(StepJson(opened, act, *directory));
  }
  json["history"] = std::move(history);
  Json parts = Json::object();
  Json not_yours = Json::array();
  const auto add = [&](Kind kind, client::Realm& realm,
                       const client::VaultFile* file) -> base::Status {
    const std::string name(protocol::Name(kind));
    if (file == nullptr) {
      not_yours.push_back(name);
      return {};
    }
    auto part = PartJson(realm, *file);
    if (!part) return part.error();
    parts[name] = *std::move(part);
    return {};
  };
  if (const auto added = add(Kind::kCase, cases, &opened.file); !added) return added.error();
  const auto* sensitive = opened.sensitive ? &*opened.sensitive : nullptr;
  if (const auto added = add(Kind::kSensitive, cases, sensitive); !added) return added.error();
  const auto person = client::ShowPerson(organisation, opened.row.summary.code(), offline);
  if (!person && person.error().code() != Code::kNotFound &&
      person.error().code() != Code::kPermissionDenied) {
    return person.error();
  }
  const auto identity = organisation.Get(Compartment::kIdentity);
  client::Realm& of_person = identity ? **identity : cases;
  if (const auto added = add(Kind::kPerson, of_person, person ? &person->file : nullptr); !added) {
    return added.error();
  }
  json["parts"] = std::move(parts);
  json["not_yours"] = std::move(not_yours);
  return json;
}

// Whether the case names this member as its caseworker or supervisor.
bool IsOwn(client::Organisation& organisation, const client::OpenedCase& opened) {
  const auto& member = (**organisation.Get(Compartment::kCases)).member();
  const auto& summary = opened.row.summary;
  const std::string id = base::ToString(member.bytes());
  return summary.caseworker() == id || summary.supervisor() == id;
}

}  // namespace

ExitCode ExportCase(const Context& context, const ExportOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("export the case", why); };
  if (AsksForMany(options.codes)) {
    return fail(
        Error(Code::kPermissionDenied,
              "one case at a time: files of many people were stolen from one computer before, and "
              "their families paid for it; for an overview without names there is `godwit board "
              "--export`"));
  }
  auto session =
      Session::Open(context, {Compartment::kIdentity, Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  const auto opened = client::ShowCase(organisation, options.codes.front(), options.offline);
  if (!opened) return fail(opened.error());
  if (!IsOwn(organisation, *opened)) {
    return fail(Error(Code::kPermissionDenied,
                      "a case is exported by its caseworker or its supervisor; the board, as codes "
                      "without names, by `godwit board --export`"));
  }
  const auto json = CaseFileJson(organisation, *opened, options.offline);
  if (!json) return fail(json.error());
  const auto saved = SaveOwnFile(context, options.out, json->dump(2) + "\n");
  if (!saved) return fail(saved.error());
  Json parts = Json::array();
  for (const auto& [name, part] : (*json)["parts"].items()) parts.push_back(name);
  output.Emit({{"event", "exported"},
               {"code", opened->row.summary.code()},
               {"file", options.out},
               {"parts", parts},
               {"not_yours", (*json)["not_yours"]}});
  if (opened->offline) output.Note("Offline: as of the last sync.");
  output.Line(Translated("Written: case {0}", CodeText(opened->row.summary.code())), Style::kGood);
  output.Note(
      "Warning: the file is not encrypted, and whoever gets hold of it reads all that is in it. "
      "Keep it as short a time as you can.");
  return ExitCode::kOk;
}

}  // namespace godwit::cli
