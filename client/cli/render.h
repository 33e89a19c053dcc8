#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "client/cases.h"
#include "client/cli/language.h"
#include "client/cli/output.h"
#include "godwit/content/v1/record.pb.h"
#include "protocol/kinds.h"

namespace godwit::cli {

// A case code as it is shown and read out: "7K3M-Q9TX-2A*".
std::string CodeText(std::string_view code);
// A day since 1970-01-01 UTC as "2031-05-06"; empty for 0, which stands for none.
std::string DayText(std::uint32_t day);
// Today's day, and a time in Unix milliseconds as "2031-05-06 07:08 UTC".
std::uint32_t Today();
std::string TimeText(std::uint64_t time_ms);
// A date with the precision it has: "2012", "2012-04", "about 2012", "unknown".
std::string DateText(const content::v1::PartialDate& date);
// "9-17", "48+", "30", or why there is none: "not_asked".
std::string AgeText(const content::v1::AgeBand& band);
// The short name of an enum's value: "in_transit"; empty for its zero.
std::string EnumText(const google::protobuf::EnumDescriptor& type, int number);
template <class Enum>
std::string EnumText(Enum value) {
  return EnumText(*google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}

// The same for people, in the reader's language and calendar (client/cli/calendar.h). Commands,
// files and JSON take and hold what is above.
std::string DayLabel(std::uint32_t day, std::string_view language = LanguageInUse());
std::string TimeLabel(std::uint64_t time_ms);
std::string DateLabel(const content::v1::PartialDate& date);
// The date of a birth. One of the lunar calendar stands as it was recorded, and says so.
std::string BirthLabel(const content::v1::Birth& birth);
std::string AgeLabel(const content::v1::AgeBand& band);
std::string EnumLabel(const google::protobuf::EnumDescriptor& type, int number);
template <class Enum>
std::string EnumLabel(Enum value) {
  return EnumLabel(*google::protobuf::GetEnumDescriptor<Enum>(), static_cast<int>(value));
}
// What the short name of an enum's value stands for: "in_transit"; what is none stays.
std::string CodeLabel(std::string_view code);
// Short names that people type, each with what it stands for behind it, where that is not English:
// "open (...), closed (...)".
std::string CodesWithLabels(const std::vector<std::string>& codes);
// The path of a field that people type, "consent.services", with what its last name stands for.
std::string FieldLabel(const std::string& path);

// The same in words, for paper: "in transit", and "names 1 valid from" of a field's path
// "names[0].valid_from".
std::string CodeWords(std::string_view code);
template <class Enum>
std::string EnumWords(Enum value) {
  return CodeWords(EnumText(value));
}
std::string AgeWords(const content::v1::AgeBand& band);
std::string FieldWords(std::string_view path);

// What a record says, by field names: enums by their short names, dates and days as text, fields
// that are not there left out, and pseudonyms and hashes too.
Json ContentJson(const google::protobuf::Message& message);
// The same for people, in their language: "consent.services" and its value.
std::vector<std::pair<std::string, Cell>> ContentFields(const google::protobuf::Message& message);
// The same for paper, where nobody types: a field's path, "consent.services", and its value in
// words.
std::vector<std::pair<std::string, std::string>> ContentWords(
    const google::protobuf::Message& message);

// The roles' names.
std::vector<std::string> RoleNames(protocol::Roles roles);
std::string Joined(const std::vector<std::string>& words);
// The same for people: "owner, admin".
std::string RolesLabel(protocol::Roles roles);

// "waits for 2 more signatures": of a statement that is not in effect yet.
std::string WaitsFor(std::uint64_t missing);

// A case in a list, for programs and for people.
Json CaseJson(const client::CaseRow& row);
Style RiskStyle(content::v1::RiskLevel risk);

}  // namespace godwit::cli
