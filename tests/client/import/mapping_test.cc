#include "client/import/mapping.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

#include "tests/client/import/mapped.h"

namespace godwit::client {
namespace {

using base::Code;

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(Mapping, TheLeastIsEnough) {
  const auto mapping = MappingOf(kLeastMapping);
  EXPECT_EQ(mapping.fields().size(), 4U);
  EXPECT_EQ(mapping.delimiter(), ',');
  EXPECT_TRUE(mapping.Gives("summary.stage"));
  EXPECT_FALSE(mapping.Gives("summary.sex"));
}

TEST(Mapping, TheShippedOnesAreRight) {
  for (const auto* name : {"/ctdc.toml", "/sample.toml", "/people.toml"}) {
    SCOPED_TRACE(name);
    std::vector<Fault> faults;
    const auto mapping = Mapping::Load(std::string(GODWIT_MAPPINGS) + name, faults);
    for (const auto& fault : faults) ADD_FAILURE() << fault.line << fault.where << fault.why;
    EXPECT_TRUE(mapping.ok());
  }
}

TEST(Mapping, SaysWhetherItsRowsAreCasesOrPeople) {
  EXPECT_EQ(MappingOf(kLeastMapping).subject(), Subject::kCases);
  EXPECT_EQ(MappingOf("imports = \"cases\"" + std::string(kLeastMapping)).subject(),
            Subject::kCases);
  const std::string people = kLeastOfPeople +
                             FieldOf("identity_profile.names[0].full", "identity", "name") +
                             FieldOf("contacts[0].handle", "identity", "phone") +
                             FieldOf("contacts[1].handle", "identity", "mail");
  EXPECT_EQ(MappingOf(people).subject(), Subject::kPeople) << "names and contacts count apart";
  const struct {
    std::string toml;
    const char* why;
  } rows[] = {
      {people + FieldOf("summary.sex", "status", "sex", "values = { f = \"female\" }"),
       "people have identity_profile, contacts and consent, and no case"},
      {kLeastMapping +
           FieldOf("consent.services", "identity", "agreed", "values = { y = \"yes\" }"),
       "what a case's person agreed to stands in summary.consent"},
      {"imports = \"persons\"" + std::string(kLeastMapping), "this takes cases or people"},
      {people + FieldOf("contacts[3].handle", "identity", "third"),
       "a list of groups counts from [0] on"},
      {people + "[[field]]\ntarget = \"contacts[2].kind\"\ncompartment = \"identity\"\n"
                "constant = \"phone\"\n",
       "a group needs a field with a column"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.why);
    std::vector<Fault> faults;
    EXPECT_FALSE(Mapping::Parse(row.toml, faults));
    ASSERT_FALSE(faults.empty());
    EXPECT_EQ(faults.front().why, row.why);
  }
}

// Each is the least mapping with one fault, which is named at its place.
TEST(Mapping, FaultsAreRefusedAndNamed) {
  const std::string least = kLeastMapping;
  const auto with = [&](const std::string& more) { return least + more; };
  const auto without = [&](const std::string& target) {
    const auto at = least.find("[[field]]\ntarget = \"" + target);
    const auto next = least.find("[[field]]", at + 1);
    return least.substr(0, at) + (next == std::string::npos ? "" : least.substr(next));
  };
  const std::string sex = FieldOf("summary.sex", "status", "g", "values = { F = \"female\" }");
  MappingOf(with(sex));

  const struct {
    const char* name;
    std::string toml;
    std::string where;
    std::string why;
  } rows[] = {
      {"no TOML", "version = ", "", "this is not TOML"},
      {"nothing", "", "version", "this reads version = 1"},
      {"another version", Replaced(least, "version = 1", "version = 2"), "version",
       "this reads version = 1"},
      {"an unknown key", Replaced(least, "version = 1", "version = 1\ncolour = 2"), "colour",
       "there is no such key"},
      {"an unknown key of a field", with(sex + "colour = 1"), "summary.sex: colour",
       "there is no such key"},
      {"an unknown key of staff",
       Replaced(least, "in_turn = [\"sv1\"]", "in_turn = [\"sv1\"], x = 1"), "supervisor.x",
       "there is no such key"},
      {"an unknown target", with(FieldOf("summary.shoe", "status", "g")), "summary.shoe",
       "there is no such field"},
      {"a target that is made", with(FieldOf("summary.gate_cleared", "status", "g")),
       "summary.gate_cleared", "an import never sets this field"},
      {"a target that is not there", with(FieldOf("case.shoe", "status", "g")), "case.shoe",
       "there is no such field"},
      {"a name into the status compartment",
       with(FieldOf("identity_profile.names[0].full", "status", "n")),
       "identity_profile.names[0].full", "the field is kept in another compartment"},
      {"a sensitive field as status",
       with(
           FieldOf("trafficking_context.forced_labour", "status", "n", "values = { 1 = \"yes\" }")),
       "trafficking_context.forced_labour", "the field is kept in another compartment"},
      {"a status field as identity", with(FieldOf("case.to_desk", "identity", "n")), "case.to_desk",
       "the field is kept in another compartment"},
      {"no compartment", with("[[field]]\ntarget = \"summary.sex\"\nconstant = \"male\"\n"),
       "summary.sex: compartment", "a field states its compartment"},
      {"an unknown compartment", with(FieldOf("summary.sex", "public", "g")),
       "summary.sex: compartment", "this takes identity, status or sensitive"},
      {"free text in the status compartment", with(FieldOf("case.to_desk", "status", "n")),
       "case.to_desk: values", "a text in the status compartment needs a table of values"},
      {"free original source", with(FieldOf("case.identification_source_original", "status", "n")),
       "case.identification_source_original: values",
       "a text in the status compartment needs a table of values"},
      {"an enum without a table", with(FieldOf("summary.sex", "status", "g")),
       "summary.sex: values", "the cells of this column need a table of values"},
      {"a value that the field has not",
       with(FieldOf("summary.sex", "status", "g", "values = { F = \"femail\" }")),
       "summary.sex: values.F", "the field has no such value"},
      {"a value that is no text", with(FieldOf("summary.sex", "status", "g", "values = { F = 1 }")),
       "summary.sex: values.F", "this takes a text"},
      {"both column and constant", with(sex + "constant = \"female\""), "summary.sex",
       "a field has either a column or a constant"},
      {"neither", with("[[field]]\ntarget = \"summary.sex\"\ncompartment = \"status\"\n"),
       "summary.sex", "a field has either a column or a constant"},
      {"a table of a constant",
       with("[[field]]\ntarget = \"summary.sex\"\ncompartment = \"status\"\n"
            "constant = \"male\"\nvalues = { F = \"female\" }\n"),
       "summary.sex: values", "this belongs to a column, not to a constant"},
      {"a target twice", with(sex + sex), "summary.sex", "two fields have this target"},
      {"a sentinel that is a value", with(sex + "sentinels = { unknown = [\"F\"] }"),
       "summary.sex: sentinels", "a cell is both a value and a sentinel"},
      {"a sentinel twice", with(sex + "sentinels = { unknown = [\"0\"], refused = [\"0\"] }"),
       "summary.sex: sentinels", "a sentinel stands here twice"},
      {"an unknown kind of sentinel", with(sex + "sentinels = { gone = [\"0\"] }"),
       "summary.sex: sentinels.gone",
       "a sentinel is absent, unknown, not_asked, refused or not_applicable"},
      {"a kind that the field has not", with(sex + "sentinels = { not_applicable = [\"0\"] }"),
       "summary.sex: sentinels", "the field has no value for that kind of no answer"},
      {"a refused text",
       with(FieldOf("identity_profile.occupation", "identity", "o",
                    "sentinels = { refused = [\"-\"] }")),
       "identity_profile.occupation: sentinels",
       "the field has no value for that kind of no answer"},
      {"sentinels of no name", with(sex + "sentinels = \"usual\""), "summary.sex: sentinels",
       "there are no sentinels of that name"},
      {"no answers in another compartment",
       with(FieldOf("identity_profile.citizenships", "identity", "c",
                    "no_answer = \"summary.consent.tracing\"")),
       "identity_profile.citizenships: no_answer", "the field is kept in another compartment"},
      {"no answers in a text",
       with(FieldOf("identity_profile.citizenships", "identity", "c",
                    "no_answer = \"identity_profile.occupation\"")),
       "identity_profile.citizenships: no_answer", "this names a field that takes an answer"},
      {"a date without formats", with(FieldOf("case.registration_date", "status", "d")),
       "case.registration_date: formats", "a column of dates needs its formats"},
      {"a format that is none",
       with(FieldOf("case.registration_date", "status", "d", "formats = [\"YY\"]")),
       "case.registration_date: formats", "a date format knows YYYY, MM, M, DD and D only"},
      {"a day from a year",
       with(FieldOf("summary.stage_since_day", "status", "d", "formats = [\"YYYY\"]")),
       "summary.stage_since_day: formats", "this field needs the day"},
      {"formats of a text",
       with(FieldOf("identity_profile.occupation", "identity", "d", "formats = [\"YYYY\"]")),
       "identity_profile.occupation: formats", "only a date without a table of values has this"},
      {"a separator of one value", with(sex + "separator = \";\""), "summary.sex: separator",
       "only a field with many values has a separator"},
      {"no stage", without("summary.stage"), "summary.stage",
       "a mapping gives stage, risk and the consents to both"},
      {"no risk", without("summary.risk"), "summary.risk",
       "a mapping gives stage, risk and the consents to both"},
      {"no consent to services", without("summary.consent.services"), "summary.consent.services",
       "a mapping gives stage, risk and the consents to both"},
      {"no consent to store an identity", without("summary.consent.store_identity"),
       "summary.consent.store_identity", "a mapping gives stage, risk and the consents to both"},
      {"a stage that is closed", Replaced(least, "\"planning\"", "\"closed\""),
       "summary.stage: constant", "an import begins no case that is closed"},
      {"a stage that is closed in a table",
       without("summary.stage") +
           FieldOf("summary.stage", "status", "s", "values = { x = \"closed\" }"),
       "summary.stage: values.x", "an import begins no case that is closed"},
      {"a stage that may be absent",
       without("summary.stage") + FieldOf("summary.stage", "status", "s",
                                          "values = { x = \"ready\" }\n"
                                          "sentinels = { absent = [\"\"] }"),
       "summary.stage: sentinels", "the field has no value for that kind of no answer"},
      {"no caseworkers", Replaced(least, "caseworker = { in_turn = [\"cw01\", \"cw02\"] }\n", ""),
       "caseworker", "the mapping names a column of handles, or handles in turn"},
      {"nobody in turn", Replaced(least, "[\"sv1\"]", "[]"), "supervisor.in_turn",
       "the list is empty"},
      {"no handle", Replaced(least, "\"sv1\"", "\" sv1\""), "supervisor",
       "a handle is 1 to 64 bytes of plain text"},
      {"both in turn and column",
       Replaced(least, "in_turn = [\"sv1\"]", "in_turn = [\"sv1\"], column = \"s\""), "supervisor",
       "this takes either a column, perhaps with values, or in_turn"},
      {"a delimiter of letters", Replaced(least, "version = 1", "version = 1\ndelimiter = \"ab\""),
       "delimiter", "this takes a comma, a semicolon, a tab or a bar"},
      {"a column used and ignored",
       Replaced(with(sex), "version = 1", "version = 1\nignore = [\"g\"]"), "g",
       "a column is both used and ignored"},
      {"a list with a gap", with(FieldOf("identity_profile.names[1].full", "identity", "n")),
       "[...]", "a list of groups counts from [0] on"},
      {"a name of constants alone",
       with("[[field]]\ntarget = \"identity_profile.names[0].full\"\n"
            "compartment = \"identity\"\nconstant = \"Example\"\n"),
       "[...]", "a group needs a field with a column"},
      {"two constants of one value",
       with("[[field]]\ntarget = \"summary.sex\"\ncompartment = \"status\"\n"
            "constant = [\"male\", \"female\"]\n"),
       "summary.sex: constant", "the field takes one value"},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    std::vector<Fault> faults;
    const auto mapping = Mapping::Parse(row.toml, faults);
    EXPECT_FALSE(mapping.ok());
    if (mapping.ok()) continue;
    EXPECT_EQ(mapping.error().code(), Code::kInvalidArgument);
    const bool named = std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) {
      return fault.where == row.where && fault.why == row.why;
    });
    EXPECT_TRUE(named);
    if (!named) {
      for (const auto& fault : faults) ADD_FAILURE() << fault.where << ": " << fault.why;
    }
  }
}

TEST(Mapping, AllFaultsAreToldAtOnceWithTheirLines) {
  std::vector<Fault> faults;
  const auto mapping = Mapping::Parse("version = 1\ncolour = 2\nshape = 3\n", faults);
  EXPECT_FALSE(mapping.ok());
  const auto line_of = [&](const std::string& where) {
    const auto found = std::find_if(faults.begin(), faults.end(),
                                    [&](const Fault& fault) { return fault.where == where; });
    return found == faults.end() ? 0 : found->line;
  };
  EXPECT_EQ(line_of("colour"), 2U);
  EXPECT_EQ(line_of("shape"), 3U);
}

TEST(Mapping, WhatAFaultShowsIsInert) {
  std::vector<Fault> faults;
  EXPECT_FALSE(Mapping::Parse("\"a\\u001b[2J\" = 1\n", faults).ok());
  const bool shown = std::any_of(faults.begin(), faults.end(),
                                 [](const Fault& fault) { return fault.where == "a\\u{1b}[2J"; });
  EXPECT_TRUE(shown);
}

TEST(Mapping, FilesThatAreNoneAreErrors) {
  std::vector<Fault> faults;
  const auto missing = Mapping::Load("/nowhere/mapping.toml", faults);
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code(), Code::kNotFound);
  const auto folder = Mapping::Load("/", faults);
  ASSERT_FALSE(folder.ok());
  EXPECT_EQ(folder.error().code(), Code::kInvalidArgument);
  const auto endless = Mapping::Load("/dev/zero", faults);
  ASSERT_FALSE(endless.ok());
  const auto large = Mapping::Parse(std::string(kMaxMappingBytes + 1, '\n'), faults);
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code(), Code::kInvalidArgument);
}

// Whatever a mapping becomes by a slip of the hand, it is read or refused.
RC_GTEST_PROP(MappingProperty, AnySlipIsReadOrRefused, ()) {
  std::string toml = std::string(kLeastMapping) +
                     FieldOf("summary.sex", "status", "g",
                             "values = { F = \"female\" }\nsentinels = { unknown = [\"0\"] }");
  const auto slips = *rc::gen::inRange(1, 4);
  for (int i = 0; i < slips; ++i) {
    const auto at = *rc::gen::inRange<std::size_t>(0, toml.size());
    const auto length = *rc::gen::inRange<std::size_t>(0, 12);
    toml.replace(
        at, length,
        *rc::gen::container<std::string>(rc::gen::elementOf(std::string("a=[]{}\"\n\\.#0\xff"))));
  }
  std::vector<Fault> faults;
  const auto mapping = Mapping::Parse(toml, faults);
  RC_ASSERT(mapping.ok() == faults.empty());
}

}  // namespace
}  // namespace godwit::client
