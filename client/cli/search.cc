#include "client/cli/search.h"

#include <algorithm>

#include "client/cli/facts.h"
#include "client/cli/render.h"
#include "client/entries.h"
#include "client/persons.h"
#include "client/search.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using client::Hit;
using protocol::Compartment;

std::string HowText(Hit::How how) {
  switch (how) {
    case Hit::How::kSameName:
      return "same_name";
    case Hit::How::kSoundsSame:
      return "sounds_same";
    case Hit::How::kInName:
      return "in_name";
    case Hit::How::kSoundsAlike:
      return "sounds_alike";
    case Hit::How::kInText:
      return "in_text";
  }
  return {};
}

// The same for people. Looked up where it is printed.
std::string_view HowLabel(Hit::How how) {
  switch (how) {
    case Hit::How::kSameName:
      return Translatable("same name");
    case Hit::How::kSoundsSame:
      return Translatable("sounds same");
    case Hit::How::kInName:
      return Translatable("in name");
    case Hit::How::kSoundsAlike:
      return Translatable("sounds alike");
    case Hit::How::kInText:
      return Translatable("in text");
  }
  return {};
}

// As commands call it, or as the field of the record is called.
std::string RecordText(content::v1::Record::BodyCase body) {
  for (const client::EntryKind& kind : client::EntryKinds()) {
    // A body that two kinds share goes by its own name.
    if (kind.body == body && kind.transition == content::v1::TRANSITION_KIND_UNSPECIFIED) {
      return std::string(kind.name);
    }
  }
  const auto* field = content::v1::Record::descriptor()->FindFieldByNumber(static_cast<int>(body));
  return field == nullptr ? std::string() : field->name();
}

base::Result<std::string> Query(const Context& context, const std::string& from) {
  if (!from.empty()) return ReadText(from);
  if (context.prompt.HasTerminal() && !context.output.json()) {
    return context.prompt.Ask(Translated("Search for: "));
  }
  return Error(Code::kInvalidArgument,
               "nobody is there to ask what to search for: write it to stdin, with `--from -`");
}

}  // namespace

ExitCode SearchCommand(const Context& context, const SearchOptions& options) {
  Output& output = context.output;
  const auto fail = [&](const Error& why) { return output.Fail("search", why); };
  const auto query = Query(context, options.from);
  if (!query) return fail(query.error());
  // What was read is kept, sealed, for the next search: nobody else writes meanwhile.
  auto session = Session::Open(context, {Compartment::kIdentity, Compartment::kCases});
  if (!session) return fail(session.error());
  const auto found = client::Search(session->organisation(), *query);
  if (!found) return fail(found.error());

  Table table{{Column("case"), Column("person"), Column("in"), Shrinking("found"), Column("as")},
              {}};
  const std::size_t all = found->hits.size();
  const std::size_t shown = options.limit == 0 ? all : std::min(all, options.limit);
  for (std::size_t i = 0; i < shown; ++i) {
    const Hit& hit = found->hits[i];
    const bool of_person = hit.kind == protocol::Kind::kPerson;
    const std::string person = of_person ? client::ShortId(hit.vault) : std::string();
    const std::string record = RecordText(hit.record);
    Json line{{"how", HowText(hit.how)}, {"code", hit.code}};
    if (of_person) line["person"] = person;
    line["record"] = record;
    line["field"] = hit.field;
    line["text"] = hit.snippet;
    output.Emit(line);
    const bool same = hit.how == Hit::How::kSameName;
    table.rows.push_back({hit.code.empty() ? std::string() : CodeText(hit.code), person, record,
                          Cell(hit.snippet, same ? Style::kStrong : Style::kPlain),
                          Cell(LookUp(HowLabel(hit.how)), Style::kFaint)});
  }
  output.Show(table);
  if (shown < all) {
    output.Line(Translated("and {0} more: say more, or raise --limit", all - shown), Style::kFaint);
  }
  output.Emit({{"event", "searched"}, {"found", all}, {"unopened", found->unopened}});
  output.Line(Translated("{0} found, as of the last sync", all), Style::kFaint);
  if (found->unopened > 0) {
    output.Note(Translated("{0} vaults did not open and were passed over: see `godwit status`.",
                           found->unopened));
  }
  return ExitCode::kOk;
}

}  // namespace godwit::cli
