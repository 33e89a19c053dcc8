#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "godwit/content/v1/common.pb.h"
#include "godwit/content/v1/compartment.pb.h"
#include "godwit/content/v1/record.pb.h"

namespace godwit::client {
namespace {

using content::v1::Compartment;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldDescriptorProto;

// The kind of vault that each record lives in, by the only compartment that it may hold.
const std::map<std::string, Compartment>& CompartmentOfRecord() {
  static const std::map<std::string, Compartment> table = {
      {"summary", content::v1::COMPARTMENT_STATUS},                 // case
      {"case", content::v1::COMPARTMENT_STATUS},                    // case
      {"trafficking_context", content::v1::COMPARTMENT_SENSITIVE},  // sensitive
      {"note", content::v1::COMPARTMENT_SENSITIVE},                 // sensitive
      {"identity_profile", content::v1::COMPARTMENT_IDENTITY},      // person
      {"link1", content::v1::COMPARTMENT_LINK1},                    // person and sensitive
      {"staff_human", content::v1::COMPARTMENT_STAFF},              // staff
      {"directory_entry", content::v1::COMPARTMENT_DIRECTORY},      // directory
      {"ledger_block", content::v1::COMPARTMENT_LEDGER},            // ledger
  };
  return table;
}

// A PartialDate or AgeBand is a value: what it is kept with says where.
bool IsValue(const Descriptor& message) {
  return message.file()->name() == content::v1::PartialDate::descriptor()->file()->name();
}

// Adds each field of `message` that states no compartment, or one that is not `fitting`, and counts
// the fields read.
void Check(const Descriptor& message, Compartment fitting, std::set<std::string>& faults,
           int& fields) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    ++fields;
    const int stated = field.options().ExtensionSize(content::v1::compartments);
    if (stated == 0) faults.insert(field.full_name() + " states no compartment");
    for (int j = 0; j < stated; ++j) {
      if (field.options().GetExtension(content::v1::compartments, j) != fitting) {
        faults.insert(field.full_name() + " does not fit its vault");
      }
    }
    if (field.message_type() != nullptr && !IsValue(*field.message_type())) {
      Check(*field.message_type(), fitting, faults, fields);
    }
  }
}

TEST(Compartments, EveryFieldOfARecordStatesTheOneOfItsVault) {
  const auto& record = *content::v1::Record::descriptor();
  int fields = 0;
  for (int i = 0; i < record.field_count(); ++i) {
    const FieldDescriptor& body = *record.field(i);
    SCOPED_TRACE(body.name());
    const auto found = CompartmentOfRecord().find(body.name());
    ASSERT_NE(found, CompartmentOfRecord().end()) << "a record whose vault is not known";
    std::set<std::string> faults;
    Check(*body.message_type(), found->second, faults, fields);
    EXPECT_EQ(faults, std::set<std::string>());
  }
  EXPECT_GT(fields, 80);
}

// The same check on records made for it, so that it is seen to fail.
TEST(Compartments, AFieldWithoutOneOrOfAnotherVaultIsFound) {
  google::protobuf::FileDescriptorProto file;
  file.set_name("made_for_this_test.proto");
  file.set_syntax("proto3");
  file.add_dependency("godwit/content/v1/common.proto");
  file.add_dependency("godwit/content/v1/compartment.proto");
  auto* message = file.add_message_type();
  message->set_name("Made");
  const auto add = [&](auto* to, const std::string& name, int number,
                       const std::vector<Compartment>& compartments) {
    auto* field = to->add_field();
    field->set_name(name);
    field->set_number(number);
    field->set_label(FieldDescriptorProto::LABEL_OPTIONAL);
    field->set_type(FieldDescriptorProto::TYPE_STRING);
    for (const auto each : compartments) {
      field->mutable_options()->AddExtension(content::v1::compartments, each);
    }
    return field;
  };
  add(message, "fits", 1, {content::v1::COMPARTMENT_STATUS});
  add(message, "bare", 2, {});
  add(message, "strays", 3, {content::v1::COMPARTMENT_STATUS, content::v1::COMPARTMENT_IDENTITY});
  add(message, "unsure", 4, {content::v1::COMPARTMENT_UNSPECIFIED});
  auto* inner = message->add_nested_type();
  inner->set_name("Inner");
  add(inner, "deep", 1, {content::v1::COMPARTMENT_SENSITIVE});
  auto* group = add(message, "group", 5, {content::v1::COMPARTMENT_STATUS});
  group->set_type(FieldDescriptorProto::TYPE_MESSAGE);
  group->set_type_name(".Made.Inner");
  auto* date = add(message, "date", 6, {content::v1::COMPARTMENT_STATUS});
  date->set_type(FieldDescriptorProto::TYPE_MESSAGE);
  date->set_type_name(".godwit.content.v1.PartialDate");

  DescriptorPool pool(DescriptorPool::generated_pool());
  const auto* built = pool.BuildFile(file);
  ASSERT_NE(built, nullptr);
  std::set<std::string> faults;
  int fields = 0;
  Check(*built->message_type(0), content::v1::COMPARTMENT_STATUS, faults, fields);
  EXPECT_EQ(fields, 7);
  EXPECT_EQ(faults,
            (std::set<std::string>{
                "Made.bare states no compartment", "Made.strays does not fit its vault",
                "Made.unsure does not fit its vault", "Made.Inner.deep does not fit its vault"}));
}

}  // namespace
}  // namespace godwit::client
