#include "client/casework/field.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "client/casework/inert.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using content::v1::AgeBand;
using content::v1::Answer;
using content::v1::Money;
using content::v1::PartialDate;
using google::protobuf::Descriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kMaxElements = 16;
constexpr std::size_t kMaxText = 2000;
// What the case vault takes of any text (docs/architecture.md).
constexpr std::size_t kMaxStatusText = 120;

std::optional<ValueKind> KindOf(const FieldDescriptor& field) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_ENUM:
      return ValueKind::kEnum;
    case FieldDescriptor::CPPTYPE_BOOL:
      return ValueKind::kFlag;
    case FieldDescriptor::CPPTYPE_UINT32:
      return field.name().ends_with("_day") ? ValueKind::kDay : ValueKind::kNumber;
    case FieldDescriptor::CPPTYPE_STRING:
      if (field.type() == FieldDescriptor::TYPE_BYTES) return std::nullopt;
      if (field.name() == "citizenships") return ValueKind::kCountry;
      if (field.name() == "languages") return ValueKind::kLanguage;
      return ValueKind::kText;
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type() == PartialDate::descriptor()) return ValueKind::kDate;
      if (field.message_type() == AgeBand::descriptor()) return ValueKind::kAgeBand;
      if (field.message_type() == Money::descriptor()) return ValueKind::kMoney;
      return std::nullopt;
    default:
      return std::nullopt;
  }
}

// Splits "names[3]" into its name and index.
struct Step {
  std::string_view name;
  std::optional<int> index;
};

std::optional<Step> ParseStep(std::string_view text) {
  const auto bracket = text.find('[');
  if (bracket == std::string_view::npos) return Step{text, std::nullopt};
  int index = 0;
  const char* begin = text.data() + bracket + 1;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(begin, end, index);
  if (error != std::errc() || rest + 1 != end || *rest != ']') return std::nullopt;
  return Step{text.substr(0, bracket), index};
}

// The value of an enum with this short name.
const EnumValueDescriptor* FindShort(const FieldDescriptor& field, std::string_view name) {
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    const auto* value = field.enum_type()->value(i);
    if (value->number() != 0 && ShortName(*value) == name) return value;
  }
  return nullptr;
}

std::string_view NameOf(NoAnswer no_answer) {
  switch (no_answer) {
    case NoAnswer::kAbsent:
      return "";
    case NoAnswer::kUnknown:
      return "unknown";
    case NoAnswer::kNotAsked:
      return "not_asked";
    case NoAnswer::kRefused:
      return "refused";
    case NoAnswer::kNotApplicable:
      return "not_applicable";
  }
  return "";
}

const std::vector<DateFormat>& IsoFormats() {
  static const auto formats = [] {
    std::vector<DateFormat> all;
    for (const auto text : {"YYYY", "YYYY-MM", "YYYY-MM-DD"}) {
      all.push_back(*DateFormat::Parse(text));
    }
    return all;
  }();
  return formats;
}

}  // namespace

std::vector<content::v1::Compartment> CompartmentsOf(const FieldDescriptor& field) {
  std::vector<content::v1::Compartment> all;
  const auto& options = field.options();
  for (int i = 0; i < options.ExtensionSize(content::v1::compartments); ++i) {
    all.push_back(options.GetExtension(content::v1::compartments, i));
  }
  return all;
}

std::string ShortName(const EnumValueDescriptor& value) {
  // ExploitationType's values begin with EXPLOITATION_TYPE_, as buf's lint has it.
  std::string prefix;
  for (const char c : value.type()->name()) {
    if (c >= 'A' && c <= 'Z' && !prefix.empty()) prefix.push_back('_');
    prefix.push_back(static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  }
  prefix.push_back('_');
  std::string name = value.name();
  if (name.starts_with(prefix)) name.erase(0, prefix.size());
  std::transform(name.begin(), name.end(), name.begin(), [](char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return name;
}

base::Result<FieldPath> FieldPath::Find(const Descriptor& root, std::string_view path) {
  const Error missing = Error(Code::kNotFound, "there is no such field");
  FieldPath found;
  found.path_ = path;
  const Descriptor* message = &root;
  for (std::string_view rest = path;;) {
    const auto next = rest.find('.');
    const auto step = ParseStep(rest.substr(0, next));
    if (!step) return missing;
    const auto* field = message->FindFieldByName(std::string(step->name));
    if (field == nullptr) return missing;
    const bool first = found.groups_.empty();
    if (next == std::string_view::npos) {
      const auto kind = KindOf(*field);
      if (!kind || step->index) {
        return Error(Code::kInvalidArgument, "the path does not end in a field that takes a value");
      }
      found.leaf_ = field;
      found.kind_ = *kind;
      return found;
    }
    if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE || KindOf(*field)) return missing;
    if (field->is_repeated() != step->index.has_value() || (step->index && !first) ||
        (step->index && (*step->index < 0 || *step->index >= kMaxElements))) {
      return Error(Code::kInvalidArgument, "a list of groups takes an index from [0] to [15]");
    }
    if (step->index) found.element_ = step->index;
    found.groups_.push_back(field);
    message = field->message_type();
    rest.remove_prefix(next + 1);
  }
}

const std::string& FieldPath::first() const {
  return groups_.empty() ? leaf_->name() : groups_.front()->name();
}

bool FieldPath::in(content::v1::Compartment compartment) const {
  const auto states = [&](const FieldDescriptor& field) {
    const auto all = CompartmentsOf(field);
    return std::find(all.begin(), all.end(), compartment) != all.end();
  };
  // A group states none where its fields do.
  return states(*leaf_) && std::all_of(groups_.begin(), groups_.end(), [&](const auto* group) {
           return CompartmentsOf(*group).empty() || states(*group);
         });
}

std::size_t FieldPath::max_length() const {
  return in(content::v1::COMPARTMENT_STATUS) ? kMaxStatusText : kMaxText;
}

base::Result<Value> FieldPath::Parse(std::string_view text) const {
  switch (kind_) {
    case ValueKind::kEnum: {
      const auto* value = FindShort(*leaf_, text);
      if (value == nullptr) return Error(Code::kInvalidArgument, "the field has no such value");
      return Value(EnumNumber{value->number()});
    }
    case ValueKind::kText:
      if (text.empty() || !IsUtf8(text) || CodePoints(text) > max_length() || HasControl(text)) {
        return Error(Code::kInvalidArgument, "empty, too long, or not plain text");
      }
      return Value(std::string(text));
    case ValueKind::kCountry:
      if (!IsCountry(text)) {
        return Error(Code::kInvalidArgument, "no country code of ISO 3166");
      }
      return Value(std::string(text));
    case ValueKind::kLanguage:
      if (!IsLanguageTag(text)) return Error(Code::kInvalidArgument, "no language tag of BCP 47");
      return Value(std::string(text));
    case ValueKind::kDate: {
      const auto date = ReadDate(text, IsoFormats(), false);
      if (!date)
        return Error(Code::kInvalidArgument,
                     "a date is typed by ISO 8601 and the common era, as far as it is known: 2012, "
                     "2012-04 or "
                     "2012-04-30");
      return Value(*date);
    }
    case ValueKind::kDay: {
      const auto date = ReadDate(text, std::span(IsoFormats()).last(1), false);
      if (!date || *FirstDay(*date) < 0) {
        return Error(Code::kInvalidArgument,
                     "a day is typed by ISO 8601 and the common era: 2012-04-30, from 1970 on");
      }
      return Value(*FirstDay(*date));
    }
    case ValueKind::kAgeBand: {
      const auto band = ReadAgeBand(text);
      if (!band) return band.error();
      return Value(*band);
    }
    case ValueKind::kFlag:
      if (text == "yes") return Value(true);
      if (text == "no") return Value(false);
      return Error(Code::kInvalidArgument, "the field takes yes or no");
    case ValueKind::kNumber: {
      std::uint32_t number = 0;
      const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
      if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
        return Error(Code::kInvalidArgument, "the field takes a whole number");
      }
      return Value(number);
    }
    case ValueKind::kMoney: {
      const auto money = ReadMoney(text);
      if (!money) return money.error();
      return Value(*money);
    }
  }
  return Error(Code::kInternal, "a kind of value without a reader");
}

std::optional<Value> FieldPath::ValueOf(NoAnswer no_answer) const {
  if (no_answer == NoAnswer::kAbsent) return std::nullopt;
  if (kind_ == ValueKind::kEnum) {
    const auto* value = FindShort(*leaf_, NameOf(no_answer));
    if (value == nullptr) return std::nullopt;
    return EnumNumber{value->number()};
  }
  if (kind_ == ValueKind::kDate && no_answer == NoAnswer::kUnknown) {
    PartialDate date;
    date.set_precision(PartialDate::PRECISION_UNKNOWN);
    return date;
  }
  if (kind_ == ValueKind::kAgeBand) {
    AgeBand band;
    Answer answer{};
    std::string name = "ANSWER_";
    for (const char c : NameOf(no_answer)) {
      name.push_back(static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    }
    if (!content::v1::Answer_Parse(name, &answer)) return std::nullopt;
    band.set_missing(answer);
    return band;
  }
  return std::nullopt;
}

Message& FieldPath::Holder(Message& root) const {
  Message* message = &root;
  for (const auto* group : groups_) {
    const auto* reflection = message->GetReflection();
    if (!group->is_repeated()) {
      message = reflection->MutableMessage(message, group);
      continue;
    }
    while (reflection->FieldSize(*message, group) <= *element_) {
      reflection->AddMessage(message, group);
    }
    message = reflection->MutableRepeatedMessage(message, group, *element_);
  }
  return *message;
}

void FieldPath::Clear(Message& root) const {
  Message& message = Holder(root);
  message.GetReflection()->ClearField(&message, leaf_);
}

void FieldPath::Set(const Value& value, Message& root) const {
  Message* message = &Holder(root);
  const auto* reflection = message->GetReflection();
  if (const auto* number = std::get_if<EnumNumber>(&value)) {
    if (!leaf_->is_repeated()) {
      reflection->SetEnumValue(message, leaf_, number->number);
      return;
    }
    for (int i = 0; i < reflection->FieldSize(*message, leaf_); ++i) {
      if (reflection->GetRepeatedEnumValue(*message, leaf_, i) == number->number) return;
    }
    reflection->AddEnumValue(message, leaf_, number->number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    if (!leaf_->is_repeated()) {
      reflection->SetString(message, leaf_, *text);
      return;
    }
    for (int i = 0; i < reflection->FieldSize(*message, leaf_); ++i) {
      if (reflection->GetRepeatedString(*message, leaf_, i) == *text) return;
    }
    reflection->AddString(message, leaf_, *text);
  } else if (const auto* date = std::get_if<PartialDate>(&value)) {
    reflection->MutableMessage(message, leaf_)->CopyFrom(*date);
  } else if (const auto* day = std::get_if<Day>(&value)) {
    reflection->SetUInt32(message, leaf_, static_cast<std::uint32_t>(*day));
  } else if (const auto* band = std::get_if<AgeBand>(&value)) {
    reflection->MutableMessage(message, leaf_)->CopyFrom(*band);
  } else if (const auto* amount = std::get_if<std::uint32_t>(&value)) {
    reflection->SetUInt32(message, leaf_, *amount);
  } else if (const auto* money = std::get_if<Money>(&value)) {
    reflection->MutableMessage(message, leaf_)->CopyFrom(*money);
  } else {
    reflection->SetBool(message, leaf_, std::get<bool>(value));
  }
}

}  // namespace godwit::client
