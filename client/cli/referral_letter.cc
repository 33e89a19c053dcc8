#include "client/cli/referral_letter.h"

#include "client/casework/assign.h"
#include "client/cli/paper.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using content::v1::Record;

// Whether a field's path is `wanted`, or inside it; empty: anything is.
bool Inside(std::string_view path, std::string_view wanted) {
  return wanted.empty() || path == wanted ||
         (path.starts_with(wanted) && (path[wanted.size()] == '.' || path[wanted.size()] == '['));
}

// What a record says in the wanted field, as lines of the letter.
std::vector<print::Field> LinesOf(const Record& record, std::string_view wanted) {
  std::vector<print::Field> lines;
  for (const auto& [path, text] : ContentWords(client::BodyOf(record))) {
    if (Inside(path, wanted) && !text.empty()) lines.push_back({FieldWords(path), Typed(text)});
  }
  for (const auto& row : record.unanswered()) {
    if (Inside(row.field(), wanted)) {
      lines.push_back({FieldWords(row.field()), EnumWords(row.why())});
    }
  }
  return lines;
}

}  // namespace

print::Document ReferralLetter(const client::SharedCase& shared, std::string_view from,
                               std::uint32_t today) {
  const auto& transition = shared.transition;
  const bool transfer = transition.kind() == content::v1::TRANSITION_KIND_TRANSFER;
  const std::string code = CodeText(shared.code);
  print::Document letter{.title = transfer ? Translated("Transfer") : Translated("Referral"),
                         .footer = code};
  const auto text = [&](std::string words) {
    letter.blocks.emplace_back(print::Paragraph{std::move(words)});
  };
  const auto field = [&](std::string label, std::string value) {
    if (!value.empty()) {
      letter.blocks.emplace_back(print::Field{std::move(label), std::move(value)});
    }
  };
  const std::string service = EnumWords(transition.service());
  field(Translated("To"), Typed(transition.to_org()));
  AddSender(letter, from, today, code);
  field(Translated("What we ask for"),
        transfer ? Translated("that you take this case over") : service);
  if (transfer) field(Translated("Service needed"), service);
  field(Translated("Please answer by"), DayLabel(transition.expires_day()));
  if (shared.overridden) {
    text(Translated(
        "You are told what follows without the person's agreement, since their life or health "
        "depends on it, so that you can help, and for nothing else. Please keep it to those who "
        "need it, pass it on to nobody, and destroy it once you need it no more."));
  } else {
    text(Translated(
        "The person agreed on {0} that you are told what follows, so that you can help, and for "
        "nothing else. Please keep it to those who need it, pass it on to nobody, and destroy it "
        "once you need it no more, or when we tell you that the person changed their mind.",
        DayLabel(shared.consent.given_day())));
  }

  std::string heading;
  for (const auto& part : shared.parts) {
    if (std::string title = SharedTitle(part.field.root); heading != title) {
      heading = std::move(title);
      letter.blocks.emplace_back(print::Heading{heading});
    }
    bool anything = false;
    for (std::size_t i = 0; i < part.records.size(); ++i) {
      auto lines = LinesOf(part.records[i], part.field.field);
      if (lines.empty()) continue;
      anything = true;
      if (part.records.size() > 1) text(std::to_string(i + 1) + ".");
      for (print::Field& line : lines) letter.blocks.emplace_back(std::move(line));
    }
    if (anything) continue;
    field(part.field.field.empty() ? heading : FieldWords(part.field.field),
          Translated("nothing is recorded"));
  }
  letter.blocks.emplace_back(print::Heading{Translated("Your answer")});
  letter.blocks.emplace_back(
      print::Choice{transfer ? Translated("Do you take the case over?")
                             : Translated("Do you accept the referral?"),
                    {{Translated("yes"), false}, {Translated("no"), false}}});
  letter.blocks.emplace_back(
      print::Signatures{{Translated("For us, date"), Translated("For you, date")}});
  return letter;
}

}  // namespace godwit::cli
