#include "client/import/target.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using google::protobuf::Descriptor;
using google::protobuf::Message;

struct Root {
  std::string_view name;
  const Descriptor* (*descriptor)();
  Message* (*message)(RowRecords&);
};

const std::array<Root, 4> kRoots = {{
    {"summary", content::v1::Summary::descriptor,
     [](RowRecords& records) -> Message* { return &records.summary; }},
    {"case", content::v1::Case::descriptor,
     [](RowRecords& records) -> Message* { return &records.case_facts; }},
    {"trafficking_context", content::v1::TraffickingContext::descriptor,
     [](RowRecords& records) -> Message* { return &records.trafficking_context; }},
    {"identity_profile", content::v1::IdentityProfile::descriptor,
     [](RowRecords& records) -> Message* { return &records.identity_profile; }},
}};

// What of the summary a file may say; the rest is made by the importer, or the act of somebody who
// signs for it.
constexpr std::array<std::string_view, 8> kSummaryFields = {
    "stage", "risk",     "stage_since_day", "next_due_day",
    "sex",   "age_band", "population",      "region_band"};

}  // namespace

base::Result<Target> Target::Find(std::string_view path) {
  const auto dot = path.find('.');
  const auto root = std::find_if(kRoots.begin(), kRoots.end(), [&](const Root& each) {
    return each.name == path.substr(0, dot);
  });
  if (dot == std::string_view::npos || root == kRoots.end()) {
    return Error(Code::kNotFound, "there is no such field");
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
  return Target(std::string(path), static_cast<int>(root - kRoots.begin()), *std::move(field));
}

void Target::Set(const Value& value, RowRecords& records) const {
  field_.Set(value, *kRoots[static_cast<std::size_t>(root_)].message(records));
}

}  // namespace godwit::client
