#include "client/casework/compartments.h"

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
#include "protocol/kinds.h"

namespace godwit::client {
namespace {

using content::v1::Compartment;
using google::protobuf::Descriptor;
using google::protobuf::DescriptorPool;
using google::protobuf::FieldDescriptor;
using google::protobuf::FieldDescriptorProto;

using protocol::Kind;
using Compartments = std::set<Compartment>;

// docs/architecture.md's table, record by record: the kinds of vault where each may stand whole.
const std::map<std::string, std::set<Kind>>& KindsOfRecord() {
  const std::set<Kind> work{Kind::kCase, Kind::kSensitive, Kind::kPerson, Kind::kFamily};
  static const std::map<std::string, std::set<Kind>> table = {
      {"summary", {Kind::kCase}},
      {"case", {Kind::kCase}},
      {"act", {Kind::kCase}},
      {"case_begin", {Kind::kCase}},
      {"follow_up", {Kind::kCase}},
      {"service", {Kind::kCase}},
      {"closure", {Kind::kCase}},
      {"incident", {Kind::kCase}},
      {"authority_process", {Kind::kCase}},
      {"transition", {Kind::kCase}},
      {"trafficking_context", {Kind::kSensitive}},
      {"note", {Kind::kSensitive}},
      {"specific_need", {Kind::kSensitive}},
      {"assessment", {Kind::kSensitive}},
      {"case_plan", {Kind::kSensitive}},
      {"best_interests", {Kind::kSensitive}},
      {"service_detail", {Kind::kSensitive}},
      {"observation", {Kind::kSensitive}},
      {"incident_narrative", {Kind::kSensitive}},
      {"screening_link", {Kind::kScreening}},
      {"security_screening", {Kind::kScreening}},
      {"identity_profile", {Kind::kPerson, Kind::kFamily}},
      {"identity_document", {Kind::kPerson, Kind::kFamily}},
      {"kin", {Kind::kPerson, Kind::kFamily}},
      {"contact_channel", {Kind::kPerson, Kind::kFamily}},
      {"consent", {Kind::kPerson, Kind::kFamily}},
      {"tracing_request", {Kind::kPerson, Kind::kFamily}},
      {"family", {Kind::kPerson, Kind::kFamily}},
      {"link1", {Kind::kPerson, Kind::kSensitive}},
      {"task", {Kind::kSensitive, Kind::kPerson, Kind::kFamily}},  // in a case without its text
      {"comment", work},
      {"conflict", {Kind::kCase, Kind::kSensitive, Kind::kPerson, Kind::kFamily, Kind::kScreening}},
      {"staff_human", {Kind::kStaff}},
      {"directory_entry", {Kind::kDirectory}},
      {"ledger_block", {Kind::kLedger}},
      {"partner", {Kind::kConfig}},
  };
  return table;
}

// A PartialDate or AgeBand is a value: what it is kept with says where.
bool IsValue(const Descriptor& message) {
  return message.file()->name() == content::v1::PartialDate::descriptor()->file()->name();
}

// Adds each field of `message` that states no compartment, or none that is `fitting`, and counts
// the fields read.
void Check(const Descriptor& message, const Compartments& fitting, std::set<std::string>& faults,
           int& fields) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    ++fields;
    const int stated = field.options().ExtensionSize(content::v1::compartments);
    if (stated == 0) faults.insert(field.full_name() + " states no compartment");
    bool fits = stated == 0;
    for (int j = 0; j < stated; ++j) {
      const auto compartment = field.options().GetExtension(content::v1::compartments, j);
      fits = fits || fitting.contains(compartment);
      if (compartment == content::v1::COMPARTMENT_UNSPECIFIED) {
        faults.insert(field.full_name() + " states that it states none");
      }
    }
    if (!fits) faults.insert(field.full_name() + " does not fit its vault");
    if (field.message_type() != nullptr && !IsValue(*field.message_type())) {
      Check(*field.message_type(), fitting, faults, fields);
    }
  }
}

// The kinds of vault where each record may stand whole, from its fields' options.
TEST(Compartments, TheOptionsOfTheFieldsMakeTheTable) {
  const auto& record = *content::v1::Record::descriptor();
  int fields = 0;
  std::size_t records = 0;
  for (int i = 0; i < record.field_count(); ++i) {
    const FieldDescriptor& body = *record.field(i);
    if (body.containing_oneof() == nullptr) continue;  // the marks of any record
    SCOPED_TRACE(body.name());
    ++records;
    std::set<Kind> derived;
    for (std::uint8_t number = 1; number <= protocol::kLastKind; ++number) {
      const auto kind = static_cast<Kind>(number);
      std::set<std::string> faults;
      Check(*body.message_type(), CompartmentsOfKind(kind), faults, fields);
      if (faults.empty()) derived.insert(kind);
    }
    const auto stated = KindsOfRecord().find(body.name());
    ASSERT_NE(stated, KindsOfRecord().end()) << "a record whose vaults are not known";
    EXPECT_EQ(derived, stated->second);
  }
  EXPECT_EQ(records, KindsOfRecord().size());
  EXPECT_GT(fields, 80 * protocol::kLastKind);
}

// The name of a person in an act's place would stand before every coordinator.
TEST(Compartments, ARecordBelongsWhereAllOfItsFieldsDo) {
  content::v1::Record task;
  task.mutable_task()->set_kind(content::v1::TASK_KIND_FOLLOW_UP);
  EXPECT_TRUE(BelongsIn(task, Kind::kCase));
  EXPECT_TRUE(BelongsIn(task, Kind::kPerson));
  EXPECT_FALSE(BelongsIn(task, Kind::kScreening));
  task.mutable_task()->set_text("call her mother");
  EXPECT_FALSE(BelongsIn(task, Kind::kCase));
  EXPECT_TRUE(BelongsIn(task, Kind::kSensitive));

  content::v1::Record plan;
  plan.mutable_case_plan()->add_goals()->set_goal("a safe room");
  EXPECT_TRUE(BelongsIn(plan, Kind::kSensitive));
  EXPECT_FALSE(BelongsIn(plan, Kind::kCase)) << "a field of a group";
  content::v1::Record profile;
  profile.mutable_identity_profile()->mutable_birth()->mutable_date()->set_year(2001);
  EXPECT_TRUE(BelongsIn(profile, Kind::kPerson));
  EXPECT_FALSE(BelongsIn(profile, Kind::kSensitive));
  EXPECT_TRUE(BelongsIn(content::v1::Record(), Kind::kConfig)) << "nothing is nowhere out of place";
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
  add(message, "strays", 3, {content::v1::COMPARTMENT_IDENTITY});
  add(message, "both", 7, {content::v1::COMPARTMENT_STATUS, content::v1::COMPARTMENT_IDENTITY});
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
  Check(*built->message_type(0), {content::v1::COMPARTMENT_STATUS}, faults, fields);
  EXPECT_EQ(fields, 8);
  EXPECT_EQ(faults,
            (std::set<std::string>{
                "Made.bare states no compartment", "Made.strays does not fit its vault",
                "Made.unsure does not fit its vault", "Made.unsure states that it states none",
                "Made.Inner.deep does not fit its vault"}));
}

}  // namespace
}  // namespace godwit::client
