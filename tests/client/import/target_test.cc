#include "client/import/target.h"

#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <string>

namespace godwit::client {
namespace {

using base::Code;
using content::v1::Summary;

TEST(Target, FindsTheFieldsOfRecords) {
  const struct {
    std::string path;
    ValueKind kind;
    bool repeated;
    content::v1::Compartment compartment;
  } rows[] = {
      {"summary.sex", ValueKind::kEnum, false, content::v1::COMPARTMENT_STATUS},
      {"summary.consent.services", ValueKind::kEnum, false, content::v1::COMPARTMENT_STATUS},
      {"summary.age_band", ValueKind::kAgeBand, false, content::v1::COMPARTMENT_STATUS},
      {"summary.stage_since_day", ValueKind::kDay, false, content::v1::COMPARTMENT_STATUS},
      {"case.registration_date", ValueKind::kDate, false, content::v1::COMPARTMENT_STATUS},
      {"case.to_desk", ValueKind::kText, false, content::v1::COMPARTMENT_STATUS},
      {"trafficking_context.exploitation_types", ValueKind::kEnum, true,
       content::v1::COMPARTMENT_SENSITIVE},
      {"identity_profile.names[3].full", ValueKind::kText, false,
       content::v1::COMPARTMENT_IDENTITY},
      {"identity_profile.birth.date", ValueKind::kDate, false, content::v1::COMPARTMENT_IDENTITY},
      {"identity_profile.citizenships", ValueKind::kCountry, true,
       content::v1::COMPARTMENT_IDENTITY},
      {"identity_profile.languages", ValueKind::kLanguage, true, content::v1::COMPARTMENT_IDENTITY},
      {"identity_profile.deceased", ValueKind::kFlag, false, content::v1::COMPARTMENT_IDENTITY},
      {"contacts[2].handle", ValueKind::kText, false, content::v1::COMPARTMENT_IDENTITY},
      {"consent.store_identity", ValueKind::kEnum, false, content::v1::COMPARTMENT_IDENTITY},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.path);
    const auto target = Target::Find(row.path);
    ASSERT_TRUE(target.ok());
    EXPECT_EQ(target->kind(), row.kind);
    EXPECT_EQ(target->repeated(), row.repeated);
    for (const auto each : {content::v1::COMPARTMENT_IDENTITY, content::v1::COMPARTMENT_STATUS,
                            content::v1::COMPARTMENT_SENSITIVE}) {
      EXPECT_EQ(target->in(each), each == row.compartment);
    }
  }
}

TEST(Target, ACaseAndAPersonWithoutOneHaveFieldsOfTheirOwn) {
  const struct {
    const char* path;
    bool of_cases;
    bool of_people;
  } rows[] = {{"summary.sex", true, false},
              {"case.to_desk", true, false},
              {"trafficking_context.status", true, false},
              {"identity_profile.sex", true, true},
              {"contacts[0].handle", true, true},
              {"consent.services", false, true}};
  for (const auto& row : rows) {
    SCOPED_TRACE(row.path);
    const auto target = Target::Find(row.path);
    ASSERT_TRUE(target.ok());
    EXPECT_EQ(target->IsOf(Subject::kCases), row.of_cases);
    EXPECT_EQ(target->IsOf(Subject::kPeople), row.of_people);
  }
  EXPECT_EQ(Target::Find("contacts[3].handle")->element(), Target::Element("contacts", 3));
  EXPECT_EQ(Target::Find("identity_profile.names[2].full")->element(), Target::Element("names", 2));
  EXPECT_EQ(Target::Find("summary.consent.services")->element(), std::nullopt);
}

// All of the summary but what a file may say: an import signs for no gate, approval or member.
TEST(Target, AnImportSetsNoFieldThatSomebodyMustSignFor) {
  int refused = 0;
  const auto& summary = *Summary::descriptor();
  for (int i = 0; i < summary.field_count(); ++i) {
    const auto target = Target::Find("summary." + summary.field(i)->name());
    if (target) continue;
    const bool group = target.error().code() == Code::kInvalidArgument;
    EXPECT_TRUE(group || target.error().code() == Code::kPermissionDenied);
    if (!group) ++refused;
  }
  EXPECT_EQ(refused, summary.field_count() - 9);  // eight fields and the consents
  for (const auto* name :
       {"code", "status", "condition", "workflow", "overdue", "caseworker", "supervisor", "flags",
        "gate_cleared", "gate_bia", "gate_bid", "approval_assessment", "approval_case_plan",
        "approval_closure", "route_week", "route_as_of_day", "state_link"}) {
    const auto target = Target::Find(std::string("summary.") + name);
    ASSERT_FALSE(target.ok()) << name;
    EXPECT_EQ(target.error().code(), Code::kPermissionDenied) << name;
  }
}

TEST(Target, RefusesPathsThatLeadNowhere) {
  const struct {
    std::string path;
    Code want;
  } rows[] = {
      {"", Code::kNotFound},
      {"summary", Code::kNotFound},
      {"summary.", Code::kNotFound},
      {"sex", Code::kNotFound},
      {"note.text", Code::kNotFound},
      {"staff_human.handle", Code::kNotFound},
      {"case.nothing", Code::kNotFound},
      {"case.registration_date.year", Code::kNotFound},
      {"identity_profile.birth", Code::kInvalidArgument},
      {"identity_profile.names", Code::kInvalidArgument},
      {"identity_profile.names[0]", Code::kInvalidArgument},
      {"identity_profile.names.full", Code::kInvalidArgument},
      {"identity_profile.names[].full", Code::kNotFound},
      {"identity_profile.names[-1].full", Code::kInvalidArgument},
      {"identity_profile.names[16].full", Code::kInvalidArgument},
      {"identity_profile.names[99999999999].full", Code::kNotFound},
      {"identity_profile.names[0x].full", Code::kNotFound},
      {"identity_profile.birth[0].date", Code::kInvalidArgument},
      {"identity_profile.sex[0]", Code::kInvalidArgument},
      {"identity_profile[0].sex", Code::kInvalidArgument},
      {"contacts.handle", Code::kInvalidArgument},
      {"contacts[16].handle", Code::kInvalidArgument},
      {"contacts[-1].handle", Code::kInvalidArgument},
      {"contacts[x].handle", Code::kNotFound},
      {"contacts[0]", Code::kNotFound},
      {"contacts[0].nothing", Code::kNotFound},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.path);
    const auto target = Target::Find(row.path);
    ASSERT_FALSE(target.ok());
    EXPECT_EQ(target.error().code(), row.want);
  }
}

TEST(Target, ValuesHaveTheShortNamesOfTheirEnum) {
  EXPECT_EQ(ShortName(*content::v1::ExploitationType_descriptor()->FindValueByNumber(
                content::v1::EXPLOITATION_TYPE_FORCED_LABOUR)),
            "forced_labour");
  EXPECT_EQ(ShortName(*content::v1::Sex_descriptor()->FindValueByNumber(content::v1::SEX_FEMALE)),
            "female");
  EXPECT_EQ(ShortName(*content::v1::PopulationGroup_descriptor()->FindValueByNumber(
                content::v1::POPULATION_GROUP_DPRK_NATIONAL)),
            "dprk_national");
  const auto sex = Target::Find("summary.sex");
  EXPECT_TRUE(sex->Parse("female").ok());
  for (const auto* text : {"Female", "SEX_FEMALE", "unspecified", "", "1"}) {
    EXPECT_FALSE(sex->Parse(text).ok()) << text;
  }
}

TEST(Target, TheFourKindsOfNoAnswerStayApartWhereTheFieldHasThem) {
  const auto consent = Target::Find("summary.consent.tracing");
  std::set<int> numbers;
  for (const auto kind :
       {NoAnswer::kUnknown, NoAnswer::kNotAsked, NoAnswer::kRefused, NoAnswer::kNotApplicable}) {
    const auto value = consent->ValueOf(kind);
    ASSERT_TRUE(value.has_value());
    numbers.insert(std::get<EnumNumber>(*value).number);
  }
  EXPECT_EQ(numbers,
            (std::set<int>{content::v1::ANSWER_UNKNOWN, content::v1::ANSWER_NOT_ASKED,
                           content::v1::ANSWER_REFUSED, content::v1::ANSWER_NOT_APPLICABLE}));
  numbers.clear();
  for (const auto kind :
       {NoAnswer::kUnknown, NoAnswer::kNotAsked, NoAnswer::kRefused, NoAnswer::kNotApplicable}) {
    const auto value = Target::Find("summary.age_band")->ValueOf(kind);
    ASSERT_TRUE(value.has_value());
    numbers.insert(std::get<content::v1::AgeBand>(*value).missing());
  }
  EXPECT_EQ(numbers.size(), 4U);
  EXPECT_FALSE(Target::Find("summary.sex")->ValueOf(NoAnswer::kNotApplicable).has_value());
  EXPECT_FALSE(Target::Find("case.to_desk")->ValueOf(NoAnswer::kUnknown).has_value());
  EXPECT_FALSE(consent->ValueOf(NoAnswer::kAbsent).has_value());
}

TEST(Target, TextsAreBounded) {
  const auto desk = Target::Find("case.to_desk");
  std::string text;
  for (int i = 0; i < 120; ++i) text += "가";
  EXPECT_TRUE(desk->Parse(text).ok());
  EXPECT_FALSE(desk->Parse(text + "가").ok());
  const auto marks = Target::Find("identity_profile.distinguishing_marks");
  EXPECT_TRUE(marks->Parse(text + "가\nb").ok());
  EXPECT_TRUE(marks->Parse(std::string(2000, 'a')).ok());
  EXPECT_FALSE(marks->Parse(std::string(2001, 'a')).ok());
  EXPECT_FALSE(marks->Parse("a\x1b[2J").ok());
  EXPECT_FALSE(marks->Parse("a\xff").ok());
  EXPECT_FALSE(marks->Parse("").ok());
}

TEST(Target, SetWritesWhereItSays) {
  RowRecords records;
  const auto set = [&](const char* path, const char* text) {
    const auto target = Target::Find(path);
    target->Set(*target->Parse(text), records);
  };
  set("summary.consent.services", "refused");
  set("summary.next_due_day", "1970-01-31");
  set("case.registration_date", "2012-04");
  set("identity_profile.names[1].full", "例示甲一");
  set("identity_profile.birth.age_band", "48+");
  set("identity_profile.citizenships", "KP");
  set("identity_profile.citizenships", "CN");
  set("identity_profile.citizenships", "KP");
  set("identity_profile.deceased", "yes");
  set("trafficking_context.labour_types", "begging");
  set("trafficking_context.labour_types", "begging");
  EXPECT_EQ(records.summary.consent().services(), content::v1::ANSWER_REFUSED);
  EXPECT_EQ(records.summary.next_due_day(), 30U);
  EXPECT_EQ(records.case_facts.registration_date().month(), 4U);
  ASSERT_EQ(records.identity_profile.names_size(), 2);
  EXPECT_EQ(records.identity_profile.names(1).full(), "例示甲一");
  EXPECT_TRUE(records.identity_profile.birth().age_band().open());
  ASSERT_EQ(records.identity_profile.citizenships_size(), 2);
  EXPECT_EQ(records.identity_profile.citizenships(1), "CN");
  EXPECT_TRUE(records.identity_profile.deceased());
  EXPECT_EQ(records.trafficking_context.labour_types_size(), 1);
}

}  // namespace
}  // namespace godwit::client
