#include "client/cli/render.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>

#include "client/cli/calendar.h"
#include "client/day.h"
#include "client/import/target.h"

namespace godwit::cli {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::uint64_t kDayMs = 86'400'000;
constexpr std::string_view kEnglish;

std::string Formatted(const char* format, int a, int b) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), format, a, b);
  return text.data();
}

std::chrono::year_month_day DateOf(std::uint64_t day) {
  return std::chrono::sys_days(std::chrono::days(static_cast<std::int64_t>(day)));
}

// Whom a record is shown to.
enum class For { kProgram, kPerson, kPaper };

// `code` with what it stands for, where that is not English.
std::string WithLabel(std::string_view code, const std::string& label) {
  return label == code ? label : label + " (" + std::string(code) + ")";
}

Json RecordJson(const Message& message, For reader);

// One value of a field; `index` below 0: the field is not repeated.
Json ValueJson(const Message& message, const FieldDescriptor& field, int index, For reader) {
  const auto& reflection = *message.GetReflection();
  const bool one = index < 0;
  const bool labelled = reader != For::kProgram;
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number = one ? reflection.GetEnumValue(message, &field)
                             : reflection.GetRepeatedEnumValue(message, &field, index);
      const std::string code = EnumText(*field.enum_type(), number);
      if (reader == For::kPaper) return CodeWords(code);
      return labelled ? WithLabel(code, CodeLabel(code)) : code;
    }
    case FieldDescriptor::CPPTYPE_STRING:
      return one ? reflection.GetString(message, &field)
                 : reflection.GetRepeatedString(message, &field, index);
    case FieldDescriptor::CPPTYPE_BOOL:
      return one ? reflection.GetBool(message, &field)
                 : reflection.GetRepeatedBool(message, &field, index);
    case FieldDescriptor::CPPTYPE_UINT32: {
      const std::uint32_t number = one ? reflection.GetUInt32(message, &field)
                                       : reflection.GetRepeatedUInt32(message, &field, index);
      if (field.name().ends_with("_day")) return labelled ? DayLabel(number) : DayText(number);
      return number;
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const std::uint64_t number = one ? reflection.GetUInt64(message, &field)
                                       : reflection.GetRepeatedUInt64(message, &field, index);
      if (labelled && field.name().ends_with("_ms")) return TimeLabel(number);
      return number;
    }
    case FieldDescriptor::CPPTYPE_MESSAGE: {
      const Message& part = one ? reflection.GetMessage(message, &field)
                                : reflection.GetRepeatedMessage(message, &field, index);
      if (const auto* date = dynamic_cast<const content::v1::PartialDate*>(&part)) {
        if (!labelled) return DateText(*date);
        const auto* birth = dynamic_cast<const content::v1::Birth*>(&message);
        return birth != nullptr ? BirthLabel(*birth) : DateLabel(*date);
      }
      if (const auto* band = dynamic_cast<const content::v1::AgeBand*>(&part)) {
        if (reader == For::kPaper) return AgeWords(*band);
        return labelled ? AgeLabel(*band) : AgeText(*band);
      }
      if (const auto* money = dynamic_cast<const content::v1::Money*>(&part)) {
        return client::MoneyText(*money);
      }
      return RecordJson(part, reader);
    }
    default:
      return nullptr;
  }
}

Json RecordJson(const Message& message, For reader) {
  Json json = Json::object();
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->type() == FieldDescriptor::TYPE_BYTES) continue;
    if (!field->is_repeated()) {
      json[field->name()] = ValueJson(message, *field, -1, reader);
      continue;
    }
    Json list = Json::array();
    for (int i = 0; i < message.GetReflection()->FieldSize(message, field); ++i) {
      list.push_back(ValueJson(message, *field, i, reader));
    }
    json[field->name()] = std::move(list);
  }
  return json;
}

void Flatten(const std::string& path, const Json& json,
             std::vector<std::pair<std::string, std::string>>& fields) {
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      Flatten(path.empty() ? key : path + "." + key, value, fields);
    }
    return;
  }
  if (json.is_array() && !json.empty() && json.front().is_object()) {
    for (std::size_t i = 0; i < json.size(); ++i) {
      Flatten(path + "[" + std::to_string(i) + "]", json[i], fields);
    }
    return;
  }
  std::string text;
  if (json.is_array()) {
    for (const auto& value : json) {
      if (!text.empty()) text += ", ";
      text += value.is_string() ? value.get<std::string>() : value.dump();
    }
  } else if (json.is_boolean()) {
    text = json.get<bool>() ? Translated("yes") : Translated("no");
  } else {
    text = json.is_string() ? json.get<std::string>() : json.dump();
  }
  fields.emplace_back(path, std::move(text));
}

// " 07:08 UTC"
std::string ClockText(std::uint64_t time_ms) {
  const auto minutes = static_cast<int>(time_ms % kDayMs / 60'000);
  return Formatted(" %02d:%02d UTC", minutes / 60, minutes % 60);
}

// What a date is called that has no more than a year that somebody guessed, or not even that.
struct DateWords {
  std::string about;
  std::string by_age_band;
  std::string unknown;
};
DateWords WordsForPeople() {
  // TRANSLATORS: {0} is a year as your language writes it, with its unit or era.
  return {Translated("about {0}"), Translated("by age band"), Translated("unknown")};
}

std::string PartialIn(std::string_view language, const content::v1::PartialDate& date,
                      const DateWords& words) {
  using content::v1::PartialDate;
  switch (date.precision()) {
    case PartialDate::PRECISION_DAY:
      return DateIn(language, date.year(), date.month(), date.day());
    case PartialDate::PRECISION_MONTH:
      return DateIn(language, date.year(), date.month(), 0);
    case PartialDate::PRECISION_YEAR:
      return DateIn(language, date.year(), 0, 0);
    case PartialDate::PRECISION_ESTIMATED:
      return Fill(words.about, {DateIn(language, date.year(), 0, 0)});
    case PartialDate::PRECISION_AGE_BAND:
      return words.by_age_band;
    default:
      return words.unknown;
  }
}

}  // namespace

std::string CodeText(std::string_view code) {
  if (code.size() != 11) return std::string(code);
  std::string text(code.substr(0, 4));
  text += "-";
  text += code.substr(4, 4);
  text += "-";
  text += code.substr(8);
  return text;
}

std::string DayText(std::uint32_t day) { return DayLabel(day, kEnglish); }

std::uint32_t Today() { return client::DayNow(); }

std::string TimeText(std::uint64_t time_ms) {
  return DayText(static_cast<std::uint32_t>(time_ms / kDayMs)) + ClockText(time_ms);
}

std::string DateText(const content::v1::PartialDate& date) {
  return PartialIn(kEnglish, date, {"about {0}", "by age band", "unknown"});
}

std::string DayLabel(std::uint32_t day, std::string_view language) {
  if (day == 0) return {};
  const auto date = DateOf(day);
  return DateIn(language, static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()));
}

std::string TimeLabel(std::uint64_t time_ms) {
  return DayLabel(static_cast<std::uint32_t>(time_ms / kDayMs)) + ClockText(time_ms);
}

std::string DateLabel(const content::v1::PartialDate& date) {
  return PartialIn(LanguageInUse(), date, WordsForPeople());
}

std::string BirthLabel(const content::v1::Birth& birth) {
  if (birth.calendar() != content::v1::BIRTH_CALENDAR_LUNAR || birth.date().year() == 0) {
    return DateLabel(birth.date());
  }
  // Its months are not those that the reader's language has names for.
  // TRANSLATORS: {0} is a date of the traditional lunar calendar, as it was recorded: 1990-03-05.
  return Translated("{0} (lunar)", PartialIn(kEnglish, birth.date(), WordsForPeople()));
}

std::string AgeText(const content::v1::AgeBand& band) {
  if (band.missing() != content::v1::ANSWER_UNSPECIFIED) return EnumText(band.missing());
  const std::string from = std::to_string(band.from_years());
  if (band.open()) return from + "+";
  if (band.from_years() == band.to_years()) return from;
  return from + "-" + std::to_string(band.to_years());
}

std::string EnumText(const google::protobuf::EnumDescriptor& type, int number) {
  if (number == 0) return {};
  const auto* value = type.FindValueByNumber(number);
  // A newer client's value: shown as it is, not hidden.
  if (value == nullptr) return "#" + std::to_string(number);
  return client::ShortName(*value);
}

std::string AgeWords(const content::v1::AgeBand& band) {
  if (band.missing() == content::v1::ANSWER_UNSPECIFIED) return AgeText(band);
  return EnumWords(band.missing());
}

std::string AgeLabel(const content::v1::AgeBand& band) {
  if (band.missing() == content::v1::ANSWER_UNSPECIFIED) return AgeText(band);
  return EnumLabel(band.missing());
}

std::string EnumLabel(const google::protobuf::EnumDescriptor& type, int number) {
  return CodeLabel(EnumText(type, number));
}

std::string CodeLabel(std::string_view code) { return LookUp("code", code); }

std::string CodesWithLabels(const std::vector<std::string>& codes) {
  std::vector<std::string> labelled;
  for (const std::string& code : codes) {
    const std::string label = CodeLabel(code);
    labelled.push_back(label == code ? code : code + " (" + label + ")");
  }
  return Joined(labelled);
}

std::string CodeWords(std::string_view code) {
  std::string words = CodeLabel(code);
  if (words == code) std::ranges::replace(words, '_', ' ');
  return words;
}

std::string FieldWords(std::string_view path) {
  std::string words;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('.'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
    const std::size_t bracket = std::min(part.find('['), part.size());
    const std::string_view name = part.substr(0, bracket);
    std::string label = LookUp("field", name);
    if (label == name) std::ranges::replace(label, '_', ' ');
    if (!words.empty()) words += ' ';
    words += label;
    std::size_t index = 0;
    const std::string_view rest = part.substr(bracket);
    if (!rest.empty() &&
        std::from_chars(rest.data() + 1, rest.data() + rest.size(), index).ec == std::errc()) {
      words += ' ' + std::to_string(index + 1);
    }
  }
  return words;
}

std::string FieldLabel(const std::string& path) {
  const std::size_t dot = path.rfind('.');
  std::string_view name = path;
  if (dot != std::string::npos) name.remove_prefix(dot + 1);
  const std::string label = LookUp("field", name);
  return label == name ? path : path + "  " + label;
}

Json ContentJson(const Message& message) { return RecordJson(message, For::kProgram); }

std::vector<std::pair<std::string, Cell>> ContentFields(const Message& message) {
  std::vector<std::pair<std::string, std::string>> flat;
  Flatten("", RecordJson(message, For::kPerson), flat);
  std::vector<std::pair<std::string, Cell>> fields;
  for (auto& [path, text] : flat) fields.emplace_back(FieldLabel(path), std::move(text));
  return fields;
}

std::vector<std::pair<std::string, std::string>> ContentWords(const Message& message) {
  std::vector<std::pair<std::string, std::string>> fields;
  Flatten("", RecordJson(message, For::kPaper), fields);
  return fields;
}

std::vector<std::string> RoleNames(protocol::Roles roles) {
  std::vector<std::string> names;
  for (unsigned bit = 1; bit <= protocol::kRoute; bit <<= 1) {
    const auto name = protocol::RoleName(static_cast<protocol::Roles>(roles & bit));
    if (!name.empty()) names.emplace_back(name);
  }
  return names;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += ", ";
    text += word;
  }
  return text;
}

std::string RolesLabel(protocol::Roles roles) {
  std::vector<std::string> labels;
  for (const std::string& name : RoleNames(roles)) labels.push_back(CodeLabel(name));
  return Joined(labels);
}

std::string WaitsFor(std::uint64_t missing) {
  return Counted(missing, "waits for {0} more signature", "waits for {0} more signatures");
}

Json CaseJson(const client::CaseRow& row) {
  Json json = ContentJson(row.summary);
  json["caseworker"] = row.caseworker;
  json["supervisor"] = row.supervisor;
  json["fully_checked"] = row.fully_checked;
  return json;
}

Style RiskStyle(content::v1::RiskLevel risk) {
  if (risk == content::v1::RISK_LEVEL_HIGH) return Style::kBad;
  if (risk == content::v1::RISK_LEVEL_MEDIUM) return Style::kWarning;
  return Style::kPlain;
}

}  // namespace godwit::cli
