#include "client/casework/compartments.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <vector>

#include "client/casework/field.h"
#include "godwit/content/v1/common.pb.h"

namespace godwit::client {
namespace {

using content::v1::Compartment;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using protocol::Kind;

// A date or an amount is kept with what it belongs to.
bool IsValue(const Message& message) {
  return message.GetDescriptor()->file() == content::v1::PartialDate::descriptor()->file();
}

bool AllBelong(const Message& message, const std::set<Compartment>& kept) {
  if (IsValue(message)) return true;
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  return std::ranges::all_of(fields, [&](const FieldDescriptor* field) {
    const auto stated = CompartmentsOf(*field);
    if (std::ranges::none_of(stated, [&](Compartment c) { return kept.contains(c); })) return false;
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return true;
    if (!field->is_repeated()) return AllBelong(reflection->GetMessage(message, field), kept);
    for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
      if (!AllBelong(reflection->GetRepeatedMessage(message, field, i), kept)) return false;
    }
    return true;
  });
}

}  // namespace

std::set<Compartment> CompartmentsOfKind(Kind kind) {
  switch (kind) {
    case Kind::kDirectory:
      return {content::v1::COMPARTMENT_DIRECTORY};
    case Kind::kConfig:
      return {content::v1::COMPARTMENT_CONFIG};
    case Kind::kStaff:
      return {content::v1::COMPARTMENT_STAFF};
    case Kind::kPerson:
      return {content::v1::COMPARTMENT_IDENTITY, content::v1::COMPARTMENT_LINK1};
    case Kind::kFamily:
      return {content::v1::COMPARTMENT_IDENTITY};
    case Kind::kCase:
      return {content::v1::COMPARTMENT_STATUS};
    case Kind::kSensitive:
      return {content::v1::COMPARTMENT_SENSITIVE, content::v1::COMPARTMENT_LINK1};
    case Kind::kScreening:
      return {content::v1::COMPARTMENT_SCREENING};
    case Kind::kLedger:
      return {content::v1::COMPARTMENT_LEDGER};
    default:
      return {};
  }
}

bool BelongsIn(const content::v1::Record& record, Kind kind) {
  const auto kept = CompartmentsOfKind(kind);
  const auto* body =
      content::v1::Record::descriptor()->FindFieldByNumber(static_cast<int>(record.body_case()));
  if (body == nullptr) return true;
  return AllBelong(record.GetReflection()->GetMessage(record, body), kept);
}

}  // namespace godwit::client
