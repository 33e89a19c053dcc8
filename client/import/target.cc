#include "client/import/target.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using google::protobuf::Descriptor;
using google::protobuf::Message;

// `index`: of the contact.
struct Root {
  std::string_view name;
  bool of_cases;
  bool of_people;
  const Descriptor* (*descriptor)();
  Message* (*message)(RowRecords&, std::size_t index);
};

constexpr std::string_view kContacts = "contacts";
constexpr int kMaxContacts = 16;

const std::array<Root, 6> kRoots = {{
    {"summary", true, false, content::v1::Summary::descriptor,
     [](RowRecords& records, std::size_t) -> Message* { return &records.summary; }},
    {"case", true, false, content::v1::Case::descriptor,
     [](RowRecords& records, std::size_t) -> Message* { return &records.case_facts; }},
    {"trafficking_context", true, false, content::v1::TraffickingContext::descriptor,
     [](RowRecords& records, std::size_t) -> Message* { return &records.trafficking_context; }},
    {"identity_profile", true, true, content::v1::IdentityProfile::descriptor,
     [](RowRecords& records, std::size_t) -> Message* { return &records.identity_profile; }},
    {kContacts, true, true, content::v1::ContactChannel::descriptor,
     [](RowRecords& records, std::size_t index) -> Message* {
       if (records.contacts.size() <= index) records.contacts.resize(index + 1);
       return &records.contacts[index];
     }},
    {"consent", false, true, content::v1::Consent::descriptor,
     [](RowRecords& records, std::size_t) -> Message* { return &records.consent; }},
}};

// Splits "contacts[3]" into its name and index; nothing for an index that is none.
struct RootStep {
  std::string_view name;
  std::optional<int> index;
};
std::optional<RootStep> ReadRoot(std::string_view text) {
  const auto bracket = text.find('[');
  if (bracket == std::string_view::npos) return RootStep{text, std::nullopt};
  int index = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data() + bracket + 1, end, index);
  if (error != std::errc() || rest + 1 != end || *rest != ']') return std::nullopt;
  return RootStep{text.substr(0, bracket), index};
}

// What of the summary a file may say; the rest is made by the importer, or the act of somebody who
// signs for it.
constexpr std::array<std::string_view, 8> kSummaryFields = {
    "stage", "risk",     "stage_since_day", "next_due_day",
    "sex",   "age_band", "population",      "region_band"};

}  // namespace

base::Result<Target> Target::Find(std::string_view path) {
  const auto dot = path.find('.');
  const auto step = ReadRoot(path.substr(0, dot));
  const auto root = std::find_if(kRoots.begin(), kRoots.end(),
                                 [&](const Root& each) { return step && each.name == step->name; });
  if (dot == std::string_view::npos || root == kRoots.end()) {
    return Error(Code::kNotFound, "there is no such field");
  }
  if (step->index.has_value() != (root->name == kContacts) ||
      (step->index && (*step->index < 0 || *step->index >= kMaxContacts))) {
    return Error(Code::kInvalidArgument, "contacts take an index from [0] to [15], others none");
  }
  auto field = FieldPath::Find(*root->descriptor(), path.substr(dot + 1));
  // What only others write is said to be that, whether or not it takes a value.
  const std::string_view first = path.substr(dot + 1, path.substr(dot + 1).find_first_of(".["));
  if (root->name == "summary" &&
      content::v1::Summary::descriptor()->FindFieldByName(std::string(first)) &&
      first != "consent" &&
      std::find(kSummaryFields.begin(), kSummaryFields.end(), first) == kSummaryFields.end()) {
    return Error(Code::kPermissionDenied, "an import never sets this field");
  }
  if (!field) return field.error();
  return Target(std::string(path), static_cast<int>(root - kRoots.begin()), step->index,
                *std::move(field));
}

bool Target::IsOf(Subject subject) const {
  const Root& root = kRoots[static_cast<std::size_t>(root_)];
  return subject == Subject::kCases ? root.of_cases : root.of_people;
}

std::optional<Target::Element> Target::element() const {
  if (contact_) return Element{kContacts, *contact_};
  if (field_.element()) return Element{"names", *field_.element()};
  return std::nullopt;
}

void Target::Set(const Value& value, RowRecords& records) const {
  const auto contact = static_cast<std::size_t>(contact_.value_or(0));
  field_.Set(value, *kRoots[static_cast<std::size_t>(root_)].message(records, contact));
}

}  // namespace godwit::client
