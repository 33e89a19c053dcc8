#include "client/casework/merge.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace godwit::client {
namespace {

using namespace content::v1;  // NOLINT: names of records

Record NeedRecord(const std::string& detail, Severity severity) {
  Record record;
  record.mutable_specific_need()->set_code(NEED_CODE_SM);
  record.mutable_specific_need()->set_detail(detail);
  record.mutable_specific_need()->set_severity(severity);
  return record;
}

TEST(Merge, FieldsThatOneSideChangedAreThatSides) {
  const Record base = NeedRecord("asthma", SEVERITY_LOW);
  const Merged merged = Merge(base, NeedRecord("asthma, no inhaler", SEVERITY_LOW),
                              NeedRecord("asthma", SEVERITY_HIGH));
  EXPECT_TRUE(merged.both.empty());
  EXPECT_EQ(merged.record.specific_need().detail(), "asthma, no inhaler");
  EXPECT_EQ(merged.record.specific_need().severity(), SEVERITY_HIGH);
  EXPECT_EQ(merged.record.specific_need().code(), NEED_CODE_SM);
}

TEST(Merge, AFieldThatBothChangedKeepsTheirsAndIsNamed) {
  const Record base = NeedRecord("asthma", SEVERITY_LOW);
  const Record mine = NeedRecord("cough", SEVERITY_MEDIUM);
  const Merged merged = Merge(base, mine, NeedRecord("tuberculosis", SEVERITY_MEDIUM));
  EXPECT_EQ(merged.both, std::vector<std::string>{"detail"}) << "the same change is no conflict";
  EXPECT_EQ(merged.record.specific_need().detail(), "tuberculosis");

  // What is kept of the other value is that field alone, and it can be put back.
  const Record other = OnlyField(mine, "detail");
  EXPECT_EQ(other.specific_need().detail(), "cough");
  EXPECT_EQ(other.specific_need().severity(), SEVERITY_UNSPECIFIED);
  Record chosen = merged.record;
  TakeField("detail", other, chosen);
  EXPECT_EQ(chosen.specific_need().detail(), "cough");
  EXPECT_EQ(chosen.specific_need().severity(), SEVERITY_MEDIUM);
}

TEST(Merge, GroupsAreJoinedFieldByFieldAndValuesAsAWhole) {
  Record base;
  base.mutable_summary()->mutable_consent()->set_services(ANSWER_NOT_ASKED);
  base.mutable_summary()->mutable_age_band()->set_from_years(20);
  Record mine = base;
  mine.mutable_summary()->mutable_consent()->set_services(ANSWER_YES);
  mine.mutable_summary()->mutable_age_band()->set_from_years(18);
  Record theirs = base;
  theirs.mutable_summary()->mutable_consent()->set_tracing(ANSWER_NO);
  theirs.mutable_summary()->mutable_age_band()->set_to_years(29);
  const Merged merged = Merge(base, mine, theirs);
  EXPECT_EQ(merged.record.summary().consent().services(), ANSWER_YES);
  EXPECT_EQ(merged.record.summary().consent().tracing(), ANSWER_NO);
  EXPECT_EQ(merged.both, std::vector<std::string>{"age_band"});
  EXPECT_EQ(merged.record.summary().age_band().from_years(), 20u);
  EXPECT_EQ(OnlyField(mine, "consent.services").summary().consent().services(), ANSWER_YES);
}

Record Person(const std::vector<std::string>& names) {
  Record record;
  record.mutable_identity_profile();
  for (const auto& name : names) record.mutable_identity_profile()->add_names()->set_full(name);
  return record;
}
std::vector<std::string> NamesOf(const Record& record) {
  std::vector<std::string> names;
  for (const auto& name : record.identity_profile().names()) names.push_back(name.full());
  return names;
}

TEST(Merge, ListsKeepWhatEitherAddedAndLoseWhatEitherTookAway) {
  const Merged merged =
      Merge(Person({"가", "나", "다"}), Person({"가", "나", "라"}), Person({"나", "다", "마"}));
  EXPECT_TRUE(merged.both.empty());
  EXPECT_EQ(NamesOf(merged.record), (std::vector<std::string>{"나", "마", "라"}));
  // What both added is there once.
  EXPECT_EQ(NamesOf(Merge(Person({}), Person({"가"}), Person({"가", "나"})).record),
            (std::vector<std::string>{"가", "나"}));
}

TEST(Merge, MarksOfTheRecordAreJoinedToo) {
  const Record base = NeedRecord("asthma", SEVERITY_LOW);
  Record mine = base;
  mine.set_entered_in_error(true);
  Record theirs = base;
  theirs.add_unanswered()->set_field("since");
  const Merged merged = Merge(base, mine, theirs);
  EXPECT_TRUE(merged.record.entered_in_error());
  ASSERT_EQ(merged.record.unanswered_size(), 1);
}

TEST(Merge, FieldsOfALaterProgramSurvive) {
  Record base = NeedRecord("asthma", SEVERITY_LOW);
  auto* body = base.mutable_specific_need();
  body->GetReflection()->MutableUnknownFields(body)->AddVarint(77, 5);
  Record mine = base;
  mine.mutable_specific_need()->set_detail("cough");
  Record theirs = base;
  theirs.mutable_specific_need()->set_severity(SEVERITY_HIGH);
  Merged merged = Merge(base, mine, theirs);
  EXPECT_NE(merged.record.SerializeAsString().find("\xe8\x04\x05"), std::string::npos);

  auto* changed = mine.mutable_specific_need();
  changed->GetReflection()->MutableUnknownFields(changed)->Clear();
  changed->GetReflection()->MutableUnknownFields(changed)->AddVarint(77, 6);
  merged = Merge(base, mine, theirs);
  EXPECT_NE(merged.record.SerializeAsString().find("\xe8\x04\x06"), std::string::npos);
}

RC_GTEST_PROP(Merge, WithOnlyOneChangeIsThatChange, ()) {
  const auto text = [] { return *rc::gen::element<std::string>("", "a", "b"); };
  const auto list = [&] {
    return *rc::gen::container<std::vector<std::string>>(
        rc::gen::element<std::string>("a", "b", "c"));
  };
  const auto record = [&] {
    Record made = Person(list());
    made.mutable_identity_profile()->set_occupation(text());
    made.mutable_identity_profile()->mutable_birth()->set_calendar(
        *rc::gen::element(BIRTH_CALENDAR_SOLAR, BIRTH_CALENDAR_LUNAR));
    return made;
  };
  const Record base = record();
  const Record other = record();
  const auto bytes = [](const Record& r) { return r.SerializeAsString(); };
  RC_ASSERT(bytes(Merge(base, base, other).record) == bytes(other));
  RC_ASSERT(bytes(Merge(base, other, other).record) == bytes(other));
  RC_ASSERT(Merge(base, base, other).both.empty());
  // From my side, too, but for the order of lists.
  const Merged mine = Merge(base, other, base);
  auto names = NamesOf(mine.record);
  auto want = NamesOf(other);
  std::ranges::sort(names);
  std::ranges::sort(want);
  RC_ASSERT(names == want);
  RC_ASSERT(mine.record.identity_profile().occupation() == other.identity_profile().occupation());
}

// Nothing that either wrote is lost: it is in the merged record, or named.
RC_GTEST_PROP(Merge, LosesNothing, ()) {
  const auto need = [] {
    return NeedRecord(*rc::gen::element<std::string>("", "a", "b", "c"),
                      *rc::gen::element(SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH));
  };
  const Record base = need();
  const Record mine = need();
  const Record theirs = need();
  const Merged merged = Merge(base, mine, theirs);
  const auto named = [&](const char* field) { return std::ranges::count(merged.both, field) != 0; };
  const auto& b = base.specific_need();
  const auto& m = mine.specific_need();
  const auto& t = theirs.specific_need();
  const auto& r = merged.record.specific_need();
  if (m.detail() != b.detail()) RC_ASSERT(r.detail() == m.detail() || named("detail"));
  if (t.detail() != b.detail()) RC_ASSERT(r.detail() == t.detail());
  if (m.severity() != b.severity()) RC_ASSERT(r.severity() == m.severity() || named("severity"));
  RC_ASSERT(named("detail") ==
            (m.detail() != b.detail() && t.detail() != b.detail() && m.detail() != t.detail()));
}

}  // namespace
}  // namespace godwit::client
