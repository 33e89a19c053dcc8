#include "client/import/row_mapper.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/client/import/mapped.h"

namespace godwit::client {
namespace {

const std::string kNames = FieldOf("identity_profile.names[0].full", "identity", "name",
                                   "sentinels = { absent = [\"\"] }");

// The one line of a file with one row.
ImportLine LineOf(const std::string& header, const std::string& row, const std::string& toml,
                  std::optional<Handles> handles = std::nullopt) {
  const std::string csv = header + "\n" + row + "\n";
  auto reader = ReaderOf(csv, MappingOf(toml), {.import_day = kImportDay, .handles = handles});
  auto lines = LinesOf(reader);
  EXPECT_EQ(lines.size(), 1U);
  return std::move(lines.at(0));
}

std::vector<std::string> WhysOf(const ImportLine& line) {
  std::vector<std::string> whys;
  if (line.ok() != nullptr) return whys;
  for (const auto& refusal : std::get<std::vector<Refusal>>(line.outcome)) {
    whys.push_back((refusal.column.empty() ? "" : refusal.column + ": ") +
                   std::string(refusal.why));
  }
  return whys;
}

using Whys = std::vector<std::string>;

TEST(RowMapper, EveryImportedCaseIsOpenNormalAndMarked) {
  const struct {
    const char* stage;
    content::v1::Workflow workflow;
  } rows[] = {
      {"contact", content::v1::WORKFLOW_NEW},
      {"screening", content::v1::WORKFLOW_NEW},
      {"accepted", content::v1::WORKFLOW_ASSESSMENT},
      {"planning", content::v1::WORKFLOW_CASE_PLAN},
      {"ready", content::v1::WORKFLOW_SERVICE_PROVISION},
      {"in_transit", content::v1::WORKFLOW_SERVICE_PROVISION},
      {"third_country", content::v1::WORKFLOW_SERVICE_PROVISION},
      {"departed", content::v1::WORKFLOW_SERVICE_PROVISION},
      {"arrived", content::v1::WORKFLOW_SERVICE_PROVISION},
      {"settling", content::v1::WORKFLOW_SERVICE_PROVISION},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.stage);
    std::string toml = kLeastMapping;
    toml.replace(toml.find("planning"), 8, row.stage);
    const auto line = LineOf("name", "x", toml + kNames);
    ASSERT_NE(line.ok(), nullptr);
    const auto& summary = line.ok()->summary;
    EXPECT_EQ(summary.status(), content::v1::CASE_STATUS_OPEN);
    EXPECT_EQ(summary.condition(), content::v1::CASE_CONDITION_NORMAL);
    EXPECT_EQ(summary.workflow(), row.workflow);
    ASSERT_EQ(summary.flags_size(), 1);
    EXPECT_EQ(summary.flags(0), content::v1::CASE_FLAG_IMPORTED);
    EXPECT_EQ(summary.stage_since_day(), static_cast<std::uint32_t>(kImportDay));
    EXPECT_TRUE(summary.code().empty());
    EXPECT_TRUE(summary.caseworker().empty());
    EXPECT_TRUE(summary.supervisor().empty());
    EXPECT_FALSE(line.ok()->trafficking_context.has_value());
  }
}

// A field, a cell, and what comes of it.
TEST(RowMapper, CellsBecomeValuesOrRefusals) {
  const std::string sex =
      FieldOf("summary.sex", "status", "c",
              "values = { F = \"female\", M = \"male\" }\n"
              "sentinels = { unknown = [\"-99\", \"00\", \"NA\", \"<Null>\", \"\"], "
              "not_asked = [\"?\"], refused = [\"won't say\"] }");
  const std::string date = FieldOf("case.registration_date", "status", "c",
                                   "formats = [\"YYYY-MM-DD\", \"YYYY\"]\n"
                                   "sentinels = { unknown = [\"-99\"] }");
  const std::string since =
      FieldOf("summary.stage_since_day", "status", "c", "formats = [\"YYYY-MM-DD\"]");
  const std::string due =
      FieldOf("summary.next_due_day", "status", "c", "formats = [\"YYYY-MM-DD\"]");
  const std::string country =
      FieldOf("identity_profile.citizenships", "identity", "c",
              "separator = \"/\"\nsentinels = { unknown = [\"0\"], refused = [\"-\"] }\n"
              "no_answer = \"identity_profile.citizenship_known\"");
  const std::string types = FieldOf("trafficking_context.exploitation_types", "sensitive", "c",
                                    "separator = \";\"\n"
                                    "values = { a = \"sexual\", b = \"forced_labour\" }\n"
                                    "sentinels = { unknown = [\"Unknown\"] }");
  const std::string age = FieldOf("identity_profile.birth.age_band", "identity", "c",
                                  "sentinels = { not_asked = [\"-99\"] }");
  constexpr char kNoValue[] = "c: there is no mapping for this value";
  constexpr char kNoDate[] = "c: no date in a format of the mapping";
  const struct {
    const char* name;
    const std::string& field;
    std::string cell;
    std::string want;  // a part of the records' text
    Whys whys;
  } rows[] = {
      {"a value", sex, "F", "sex: SEX_FEMALE", {}},
      {"unknown", sex, "-99", "sex: SEX_UNKNOWN", {}},
      {"unknown, another way", sex, "<Null>", "sex: SEX_UNKNOWN", {}},
      {"unknown, empty", sex, "\"\"", "sex: SEX_UNKNOWN", {}},
      {"not asked", sex, "?", "sex: SEX_NOT_ASKED", {}},
      {"refused", sex, "won't say", "sex: SEX_REFUSED", {}},
      {"another case of letters", sex, "f", "", {kNoValue}},
      {"a space too many", sex, "F ", "", {kNoValue}},
      {"our own short name", sex, "female", "", {kNoValue}},
      {"a day", date, "2012-04-30", "year: 2012 month: 4 day: 30", {}},
      {"a year", date, "2012", "precision: PRECISION_YEAR year: 2012", {}},
      {"an unknown date", date, "-99", "precision: PRECISION_UNKNOWN", {}},
      {"no date", date, "yesterday", "", {kNoDate}},
      {"a date to come", date, "2027", "", {"c: the date lies after the day of the import"}},
      {"since", since, "2025-12-31", "stage_since_day: 20453", {}},
      {"since before computers", since, "1969-12-31", "", {"c: the day lies before 1970"}},
      {"since tomorrow", since, "2026-01-03", "", {"c: the date lies after the day of the import"}},
      {"due tomorrow", due, "2026-01-03", "next_due_day: 20456", {}},
      {"a country", country, "KP", "citizenships: \"KP\"", {}},
      {"two countries", country, "KP / CN", "citizenships: \"KP\" citizenships: \"CN\"", {}},
      {"an unknown country", country, "0", "citizenship_known: ANSWER_UNKNOWN", {}},
      {"a refused country", country, "-", "citizenship_known: ANSWER_REFUSED", {}},
      {"no country", country, "XX", "", {"c: no country code of ISO 3166"}},
      {"a country and nothing", country, "KP/", "", {"c: no country code of ISO 3166"}},
      {"types",
       types,
       "b; a;b",
       "exploitation_types: EXPLOITATION_TYPE_FORCED_LABOUR "
       "exploitation_types: EXPLOITATION_TYPE_SEXUAL",
       {}},
      {"an unknown type", types, "Unknown", "exploitation_types: EXPLOITATION_TYPE_UNKNOWN", {}},
      {"a type and an unknown one", types, "a;z", "", {kNoValue}},
      {"ages",
       age,
       "9--17",
       "date { precision: PRECISION_AGE_BAND } age_band { from_years: 9 to_years: 17 }",
       {}},
      {"open ages", age, "48+", "age_band { from_years: 48 open: true }", {}},
      {"ages not asked",
       age,
       "-99",
       "date { precision: PRECISION_UNKNOWN } age_band { missing: ANSWER_NOT_ASKED }",
       {}},
      {"an age like a sentinel", age, "00", "", {"c: no age or band of ages"}},
      {"what spreadsheets make of ages", age, "17-Sep", "", {"c: no age or band of ages"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto line = LineOf("c", row.cell, std::string(kLeastMapping) + row.field);
    EXPECT_EQ(WhysOf(line), row.whys);
    if (line.ok() == nullptr) continue;
    std::string all = line.ok()->summary.ShortDebugString() +
                      line.ok()->case_facts.ShortDebugString() +
                      line.ok()->identity_profile.ShortDebugString();
    if (line.ok()->trafficking_context) {
      all += line.ok()->trafficking_context->ShortDebugString();
    }
    EXPECT_NE(all.find(row.want), std::string::npos) << all;
  }
}

TEST(RowMapper, TrimmingIsDoneWhereTheMappingSaysSo) {
  const auto toml = "trim = true\n" + std::string(kLeastMapping) + kNames;
  const auto line = LineOf(" name ", "\u3000예시 갑일\u00a0", toml);
  ASSERT_NE(line.ok(), nullptr);
  EXPECT_EQ(line.ok()->identity_profile.names(0).full(), "예시 갑일");
  const auto kept = LineOf("name", " 예시 ", std::string(kLeastMapping) + kNames);
  EXPECT_EQ(kept.ok()->identity_profile.names(0).full(), " 예시 ");
}

TEST(RowMapper, RaggedRowsAreRefused) {
  const auto toml = std::string(kLeastMapping) + kNames;
  EXPECT_EQ(WhysOf(LineOf("name", "a,b", toml)), (Whys{"the row has more cells than the header"}));
  EXPECT_EQ(WhysOf(LineOf("name,x", "a", "ignore = [\"x\"]\n" + toml)),
            (Whys{"the row has fewer cells than the header"}));
}

TEST(RowMapper, AllThatIsWrongWithARowIsTold) {
  const auto toml = std::string(kLeastMapping) + kNames +
                    FieldOf("summary.sex", "status", "g", "values = { F = \"female\" }") +
                    FieldOf("case.registration_date", "status", "d", "formats = [\"YYYY\"]");
  EXPECT_EQ(
      WhysOf(LineOf("name,g,d", "x,M,never", toml)),
      (Whys{"g: there is no mapping for this value", "d: no date in a format of the mapping"}));
}

TEST(RowMapper, ARefusalNamesLineAndColumnAndShowsAnInertCell) {
  const auto toml = std::string(kLeastMapping) + kNames +
                    FieldOf("summary.sex", "status", "g\u202e", "values = { F = \"female\" }");
  const std::string csv =
      "name,g\u202e\n\"two\nlines\",F\nx,\x1b[2J" + std::string(100, 'y') + "\n";
  auto reader = ReaderOf(csv, MappingOf(toml));
  const auto lines = LinesOf(reader);
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_NE(lines[0].ok(), nullptr);
  EXPECT_EQ(lines[0].line, 2U);
  ASSERT_EQ(lines[1].ok(), nullptr);
  const auto& refusal = std::get<std::vector<Refusal>>(lines[1].outcome).at(0);
  EXPECT_EQ(refusal.row, 1U);
  EXPECT_EQ(refusal.line, 4U);
  EXPECT_EQ(refusal.column, "g\\u{202e}");
  EXPECT_TRUE(refusal.cell.starts_with("\\u{1b}[2Jyyy"));
  EXPECT_LT(refusal.cell.size(), 60U);
}

TEST(RowMapper, ABrokenRecordIsRefusedWithoutItsCells) {
  const auto line = LineOf("name", "\xff\xff", std::string(kLeastMapping) + kNames);
  ASSERT_EQ(line.ok(), nullptr);
  const auto& refusal = std::get<std::vector<Refusal>>(line.outcome).at(0);
  EXPECT_EQ(refusal.column, "name");
  EXPECT_EQ(refusal.why, "the cell is not UTF-8");
  EXPECT_EQ(refusal.cell, "");
}

TEST(RowMapper, NamesNeedTheConsentToStoreThem) {
  std::string toml = kLeastMapping;
  const auto cut = toml.find("[[field]]\ntarget = \"summary.stage\"");
  toml = toml.substr(0, cut) +
         FieldOf("summary.stage", "status", "stage",
                 "values = { c = \"contact\", s = \"screening\", a = \"accepted\" }") +
         FieldOf("summary.risk", "status", "risk", "values = { h = \"high\" }") +
         FieldOf("summary.consent.store_identity", "status", "store",
                 "values = { y = \"yes\", n = \"no\" }\nsentinels = { not_asked = [\"\"] }") +
         FieldOf("summary.consent.services", "status", "services",
                 "values = { y = \"yes\", n = \"no\" }\nsentinels = { not_asked = [\"\"] }") +
         FieldOf("identity_profile.occupation", "identity", "work",
                 "sentinels = { absent = [\"\"] }") +
         kNames;
  constexpr char kIdentifies[] =
      "the row identifies a person who has not agreed to store their identity";
  constexpr char kStore[] = "a stage after contact needs the consent to store an identity";
  constexpr char kServices[] = "a stage after screening needs the consent to services";
  const struct {
    const char* row;
    Whys whys;
  } rows[] = {
      {"a,h,y,y,,예시", {}},
      {"c,h,,,,", {}},
      {"c,h,n,n,,", {}},
      {"s,h,y,n,,예시", {}},
      {"c,h,n,y,,예시", {kIdentifies}},
      {"c,h,,y,,예시", {kIdentifies}},
      {"c,h,n,y,weaver,", {kIdentifies}},
      {"s,h,n,y,,", {kStore}},
      {"a,h,y,n,,", {kServices}},
      {"a,h,,,,예시", {kIdentifies, kStore, kServices}},
      {"a,h,?,y,,예시", {"store: there is no mapping for this value"}},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.row);
    EXPECT_EQ(WhysOf(LineOf("stage,risk,store,services,work,name", row.row, toml)), row.whys);
  }
}

TEST(RowMapper, ANameOfWhichOnlyConstantsAreThereIsNone) {
  const auto toml = std::string(kLeastMapping) +
                    "[[field]]\ntarget = \"identity_profile.names[0].script\"\n"
                    "compartment = \"identity\"\nconstant = \"hang\"\n"
                    "[[field]]\ntarget = \"identity_profile.names[1].script\"\n"
                    "compartment = \"identity\"\nconstant = \"latn\"\n" +
                    kNames +
                    FieldOf("identity_profile.names[1].full", "identity", "latin",
                            "sentinels = { absent = [\"\"] }");
  const auto both = LineOf("name,latin", "예시,Yesi", toml);
  EXPECT_EQ(both.ok()->identity_profile.names_size(), 2);
  const auto second = LineOf("name,latin", ",Yesi", toml);
  ASSERT_EQ(second.ok()->identity_profile.names_size(), 1);
  EXPECT_EQ(second.ok()->identity_profile.names(0).script(), content::v1::SCRIPT_LATN);
  EXPECT_EQ(second.ok()->identity_profile.names(0).full(), "Yesi");
  const auto none = LineOf("name,latin", ",", toml);
  EXPECT_EQ(none.ok()->identity_profile.names_size(), 0);
}

TEST(RowMapper, PeopleWithoutConsentBecomeNameless) {
  const std::string toml =
      kLeastOfPeople +
      FieldOf("consent.store_identity", "identity", "store",
              "values = { y = \"yes\", n = \"no\" }\nsentinels = { not_asked = [\"\"] }") +
      FieldOf("identity_profile.names[0].full", "identity", "name",
              "sentinels = { absent = [\"\"] }") +
      FieldOf("identity_profile.sex", "identity", "sex", "values = { f = \"female\" }") +
      FieldOf("identity_profile.origin_admin1", "identity", "from",
              "sentinels = { absent = [\"\"] }") +
      "[[field]]\ntarget = \"contacts[0].kind\"\ncompartment = \"identity\"\n"
      "constant = \"phone\"\n" +
      FieldOf("contacts[0].handle", "identity", "phone", "sentinels = { absent = [\"\"] }");
  const std::string header = "store,name,sex,from,phone";
  const auto known = LineOf(header, "y,예시,f,Exampleton,555", toml);
  ASSERT_NE(known.ok(), nullptr);
  EXPECT_EQ(known.ok()->identity_profile.names(0).full(), "예시");
  EXPECT_EQ(known.ok()->identity_profile.origin_admin1(), "Exampleton");
  ASSERT_EQ(known.ok()->contacts.size(), 1u);
  EXPECT_EQ(known.ok()->contacts[0].handle(), "555");
  EXPECT_EQ(known.ok()->contacts[0].kind(), content::v1::CONTACT_KIND_PHONE);
  EXPECT_EQ(known.ok()->consent.state(), content::v1::CONSENT_STATE_GIVEN);
  EXPECT_FALSE(known.ok()->nameless);
  EXPECT_EQ(known.ok()->summary.ByteSizeLong(), 0u) << "there is no case";
  EXPECT_EQ(known.ok()->caseworker_handle, "cw01");

  // A contact of which only constants are there is none.
  EXPECT_TRUE(LineOf(header, "y,예시,f,,", toml).ok()->contacts.empty());

  // Each of these alone makes somebody known, and goes without consent; the rest stays.
  for (const char* row :
       {"n,예시,f,,", "n,,f,Exampleton,", "n,,f,,555", ",예시,f,Exampleton,555"}) {
    SCOPED_TRACE(row);
    const auto line = LineOf(header, row, toml);
    ASSERT_NE(line.ok(), nullptr);
    EXPECT_TRUE(line.ok()->nameless);
    EXPECT_EQ(line.ok()->identity_profile.names_size(), 0);
    EXPECT_EQ(line.ok()->identity_profile.origin_admin1(), "");
    EXPECT_TRUE(line.ok()->contacts.empty());
    EXPECT_EQ(line.ok()->identity_profile.sex(), content::v1::SEX_FEMALE);
    EXPECT_EQ(line.ok()->consent.state(), row[0] == 'n' ? content::v1::CONSENT_STATE_DECLINED
                                                        : content::v1::CONSENT_STATE_UNSPECIFIED);
  }
  EXPECT_FALSE(LineOf(header, "n,,f,,", toml).ok()->nameless) << "nothing was left out";
}

TEST(RowMapper, AWayToReachAPersonIdentifiesThemInACaseToo) {
  std::string toml = kLeastMapping + FieldOf("contacts[0].handle", "identity", "phone");
  EXPECT_EQ(LineOf("phone", "555", toml).ok()->contacts.size(), 1u);
  toml.replace(toml.rfind("constant = \"yes\""), 16, "constant = \"no\"");
  toml.replace(toml.find("constant = \"planning\""), 21, "constant = \"contact\"");
  EXPECT_EQ(WhysOf(LineOf("phone", "555", toml)),
            (Whys{"the row identifies a person who has not agreed to store their identity"}));
}

TEST(RowMapper, HandlesComeInTurnOrFromAColumn) {
  const auto toml = std::string(kLeastMapping) + kNames;
  const std::string csv = "name\na\nb,b\nc\n";
  auto reader = ReaderOf(csv, MappingOf(toml));
  const auto lines = LinesOf(reader);
  EXPECT_EQ(lines[0].ok()->caseworker_handle, "cw01");
  EXPECT_EQ(lines[0].ok()->supervisor_handle, "sv1");
  // A refused row takes its turn, so that mending it moves nobody else's cases.
  EXPECT_EQ(lines[1].ok(), nullptr);
  EXPECT_EQ(lines[2].ok()->caseworker_handle, "cw01");

  std::string columns = toml;
  columns.replace(columns.find("in_turn = [\"cw01\", \"cw02\"]"), 27,
                  "column = \"w\", values = { Kim = \"cw07\" }");
  columns.replace(columns.find("in_turn = [\"sv1\"]"), 17, "column = \"s\"");
  const auto from_column = LineOf("name,w,s", "a,Kim,sv9", columns);
  ASSERT_NE(from_column.ok(), nullptr);
  EXPECT_EQ(from_column.ok()->caseworker_handle, "cw07");
  EXPECT_EQ(from_column.ok()->supervisor_handle, "sv9");
  EXPECT_EQ(WhysOf(LineOf("name,w,s", "a,Lee,sv9", columns)),
            (Whys{"w: there is no mapping for this value"}));
  EXPECT_EQ(WhysOf(LineOf("name,w,s", "a,Kim,", columns)),
            (Whys{"s: this can be no member's handle"}));
  EXPECT_EQ(WhysOf(LineOf("name,w,s", "a,Kim,cw07", columns)),
            (Whys{"caseworker and supervisor are the same"}));

  const Handles handles = {"cw01", "sv9"};
  EXPECT_EQ(WhysOf(LineOf("name,w,s", "a,Kim,sv1", columns, handles)),
            (Whys{"w: no member has this handle", "s: no member has this handle"}));
  EXPECT_EQ(WhysOf(LineOf("name", "a", toml, handles)),
            (Whys{"the mapping names a handle that no member has"}));
  EXPECT_NE(LineOf("name", "a", toml, Handles{"cw01", "sv1"}).ok(), nullptr);
}

TEST(RowMapper, TheHeaderMustFitTheMapping) {
  const auto toml = "ignore = [\"No.\"]\n" + std::string(kLeastMapping) + kNames;
  const struct {
    const char* name;
    std::string header;
    std::string where;
    std::string why;
  } rows[] = {
      {"missing", "No.\n", "name", "the file has no column of this name"},
      {"no header but a row", "1,x\n", "name", "the file has no column of this name"},
      {"an ignored one missing", "name\n", "", ""},
      {"twice", "name,name,No.\n", "name", "two columns have this name"},
      {"an ignored one twice", "name,No.,No.\n", "No.", "two columns have this name"},
      {"without a name", "name,,No.\n", "column 2", "the column has no name"},
      {"one that nobody mentions", "name,extra\n", "extra",
       "the mapping neither uses nor ignores this column"},
      {"another case of letters", "Name\n", "Name",
       "the mapping neither uses nor ignores this column"},
      {"broken", "na\"me\n", "", "there is a quote in a cell that is not quoted"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    std::vector<Fault> faults;
    const auto reader = CaseFile::Open(OpenMemory(row.header), MappingOf(toml), {}, faults);
    if (row.why.empty()) {
      EXPECT_TRUE(reader.ok());
      continue;
    }
    EXPECT_FALSE(reader.ok());
    if (reader.ok()) continue;
    EXPECT_EQ(reader.error().code(), base::Code::kInvalidArgument);
    const bool named = std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) {
      return fault.line == 1 && fault.where == row.where && fault.why == row.why;
    });
    EXPECT_TRUE(named);
  }
}

}  // namespace
}  // namespace godwit::client
