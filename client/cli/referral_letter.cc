#include "client/cli/referral_letter.h"

#include <algorithm>

#include "client/casework/assign.h"
#include "client/casework/inert.h"
#include "client/cli/render.h"

namespace godwit::cli {
namespace {

using content::v1::Record;

// "names[0].valid_from" as people read it: "names 1 valid from".
std::string Label(std::string_view path) {
  std::string label;
  for (std::size_t i = 0; i < path.size(); ++i) {
    const char c = path[i];
    if (c == '[') {
      const std::size_t end = path.find(']', i);
      label += " " + std::to_string(std::stoul(std::string(path.substr(i + 1, end - i - 1))) + 1);
      i = end;
    } else {
      label += c == '_' || c == '.' ? ' ' : c;
    }
  }
  return label;
}

// A heading's words: "best-interests" stays, "identity_profile" is the person.
std::string Title(std::string_view root) {
  if (root == "identity_profile" || root == "summary") return "The person";
  std::string title(root);
  title.front() = static_cast<char>(title.front() - 'a' + 'A');
  return title;
}

// Whether a field's path is `wanted`, or inside it; empty: anything is.
bool Inside(std::string_view path, std::string_view wanted) {
  return wanted.empty() || path == wanted ||
         (path.starts_with(wanted) && (path[wanted.size()] == '.' || path[wanted.size()] == '['));
}

// What a record says in the wanted field, as lines of the letter.
std::vector<print::Field> LinesOf(const Record& record, std::string_view wanted) {
  std::vector<print::Field> lines;
  for (const auto& [path, cell] : ContentFields(client::BodyOf(record))) {
    if (!Inside(path, wanted) || cell.text.empty()) continue;
    lines.push_back({Label(path), client::Inert(cell.text, std::string_view::npos)});
  }
  for (const auto& row : record.unanswered()) {
    if (Inside(row.field(), wanted)) lines.push_back({Label(row.field()), EnumText(row.why())});
  }
  return lines;
}

}  // namespace

print::Document ReferralLetter(const client::SharedCase& shared, std::string_view from,
                               std::uint32_t today) {
  const auto& transition = shared.transition;
  const bool transfer = transition.kind() == content::v1::TRANSITION_KIND_TRANSFER;
  const std::string code = CodeText(shared.code);
  print::Document letter{.title = transfer ? "Transfer" : "Referral", .footer = code};
  const auto text = [&](std::string words) {
    letter.blocks.emplace_back(print::Paragraph{std::move(words)});
  };
  const auto field = [&](std::string label, std::string value) {
    if (!value.empty()) {
      letter.blocks.emplace_back(print::Field{std::move(label), std::move(value)});
    }
  };
  std::string service = EnumText(transition.service());
  std::ranges::replace(service, '_', ' ');
  field("To", client::Inert(transition.to_org(), std::string_view::npos));
  field("From", client::Inert(from, std::string_view::npos));
  letter.blocks.emplace_back(print::Field{"Organisation", {}});
  letter.blocks.emplace_back(print::Field{"How to reach us", {}});
  field("Date", DayText(today));
  field("Our reference", code);
  field("What we ask for", transfer ? "that you take this case over" : service);
  if (transfer) field("Service needed", service);
  field("Please answer by", DayText(transition.expires_day()));
  text(
      "The person agreed on " + DayText(shared.consent.given_day()) +
      " that you are told what follows, so that you can help, and for nothing else. Please keep it "
      "to those who need it, pass it on to nobody, and destroy it once you need it no more, or "
      "when "
      "we tell you that the person changed their mind.");

  std::string heading;
  for (const auto& part : shared.parts) {
    if (heading != Title(part.field.root)) {
      heading = Title(part.field.root);
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
    letter.blocks.emplace_back(
        print::Field{Label(part.field.field.empty() ? part.field.root : part.field.field),
                     "nothing is recorded"});
  }
  letter.blocks.emplace_back(print::Heading{"Your answer"});
  letter.blocks.emplace_back(
      print::Choice{transfer ? "Do you take the case over?" : "Do you accept the referral?",
                    {{"yes", false}, {"no", false}}});
  letter.blocks.emplace_back(print::Signatures{{"For us, date", "For you, date"}});
  return letter;
}

}  // namespace godwit::cli
