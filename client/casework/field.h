#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "client/casework/values.h"
#include "godwit/content/v1/common.pb.h"
#include "godwit/content/v1/compartment.pb.h"

namespace godwit::client {

// Why a field has no answer (docs/architecture.md keeps the kinds apart). kAbsent: nothing was
// there.
enum class NoAnswer { kAbsent, kUnknown, kNotAsked, kRefused, kNotApplicable };

enum class ValueKind {
  kEnum,
  kText,
  kCountry,   // ISO 3166-1 alpha-2
  kLanguage,  // BCP 47
  kDate,
  kDay,  // a date known to the day, kept as the number of days since 1970-01-01
  kAgeBand,
  kFlag,  // yes or no
  kNumber,
  kMoney,  // "120.50 USD"
};

// What a field can hold: the number of an enum's value for kEnum, text for kText, kCountry and
// kLanguage, a Day for kDay.
struct EnumNumber {
  int number;
};
using Value = std::variant<EnumNumber, std::string, content::v1::PartialDate, Day,
                           content::v1::AgeBand, bool, std::uint32_t, content::v1::Money>;

// A field of a record that people fill in: "sex", "consent.services", "names[0].full". Found by
// name through protobuf's descriptors.
class FieldPath {
 public:
  // NOT_FOUND: `message` has no such field. INVALID_ARGUMENT: the path ends in a group of fields,
  // or in one that only programs write, or a list of groups has no [index] below 16.
  static base::Result<FieldPath> Find(const google::protobuf::Descriptor& message,
                                      std::string_view path);

  const std::string& path() const { return path_; }
  ValueKind kind() const { return kind_; }
  bool repeated() const { return leaf_->is_repeated(); }
  bool in(content::v1::Compartment compartment) const;
  // The index of the repeated group that the field is in: names[2].
  std::optional<int> element() const { return element_; }
  // The name of the first step: "names".
  const std::string& first() const;
  // The most code points that a text may have.
  std::size_t max_length() const;

  // Reads a value as people and mappings write it: an enum's short name, yes or no, text,
  // "2012-04". INVALID_ARGUMENT: this field has no such value.
  base::Result<Value> Parse(std::string_view text) const;

  // The value that says why there is none; nothing if the field has no value for that, or needs
  // none (kAbsent).
  std::optional<Value> ValueOf(NoAnswer no_answer) const;

  // Writes `value`, which Parse or ValueOf of this field or a reader of its kind gave; appends to
  // a repeated field, unless it is there. Groups that hold the field are made.
  void Set(const Value& value, google::protobuf::Message& message) const;
  // Takes away what is there.
  void Clear(google::protobuf::Message& message) const;

 private:
  FieldPath() = default;
  // The message that holds the field.
  google::protobuf::Message& Holder(google::protobuf::Message& message) const;

  std::string path_;
  ValueKind kind_ = ValueKind::kText;
  std::vector<const google::protobuf::FieldDescriptor*> groups_;
  std::optional<int> element_;  // of groups_.front()
  const google::protobuf::FieldDescriptor* leaf_ = nullptr;
};

// The lower-case names of an enum's values without their prefix: "forced_labour".
std::string ShortName(const google::protobuf::EnumValueDescriptor& value);

// The compartments that the option of `field` states.
std::vector<content::v1::Compartment> CompartmentsOf(
    const google::protobuf::FieldDescriptor& field);

}  // namespace godwit::client
