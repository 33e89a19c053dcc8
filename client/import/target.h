#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"
#include "client/import/values.h"
#include "godwit/content/v1/case.pb.h"
#include "godwit/content/v1/common.pb.h"
#include "godwit/content/v1/compartment.pb.h"
#include "godwit/content/v1/person.pb.h"

namespace godwit::client {

// The records that an imported row becomes.
struct RowRecords {
  content::v1::Summary summary;  // without code, caseworker and supervisor
  content::v1::Case case_facts;
  content::v1::TraffickingContext trafficking_context;
  content::v1::IdentityProfile identity_profile;
};

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
};

// What a field can hold: the number of an enum's value for kEnum, text for kText, kCountry and
// kLanguage, a Day for kDay.
struct EnumNumber {
  int number;
};
using Value = std::variant<EnumNumber, std::string, content::v1::PartialDate, Day,
                           content::v1::AgeBand, bool>;

// A field that an import may fill: "summary.sex", "summary.consent.services",
// "identity_profile.names[0].full". Found by name through protobuf's descriptors.
class Target {
 public:
  // The roots are summary, case, trafficking_context and identity_profile.
  // E_NOT_FOUND: no such field. E_PERMISSION_DENIED: a field that an import never sets: code,
  // status, condition, members, gates, approvals and the like. E_INVALID_ARGUMENT: the path ends in
  // a group of fields, or a repeated one has no [index] below 16.
  static base::Result<Target> Find(std::string_view path);

  // The lower-case names of an enum's values without their prefix: "forced_labour"; for everything
  // but enums nothing.
  static std::string ShortName(const google::protobuf::EnumValueDescriptor& value);

  const std::string& path() const { return path_; }
  ValueKind kind() const { return kind_; }
  bool repeated() const { return leaf_->is_repeated(); }
  bool in(content::v1::Compartment compartment) const;
  // The index of the repeated group that the field is in: names[2].
  std::optional<int> element() const { return element_; }
  // The most code points that a text may have.
  std::size_t max_length() const;

  // Reads a value as a mapping writes it: an enum's short name, yes or no, text, "2012-04".
  // E_INVALID_ARGUMENT: this field has no such value.
  base::Result<Value> Parse(std::string_view text) const;

  // The value that says why there is none; nothing if the field has no value for that, or needs
  // none (kAbsent).
  std::optional<Value> ValueOf(NoAnswer no_answer) const;

  // Writes `value`, which Parse or ValueOf of this target or a reader of its kind gave; appends to
  // a repeated field, unless it is there. Groups that hold the field are made.
  void Set(const Value& value, RowRecords& records) const;

 private:
  Target() = default;

  std::string path_;
  ValueKind kind_ = ValueKind::kText;
  int root_ = 0;
  std::vector<const google::protobuf::FieldDescriptor*> groups_;
  std::optional<int> element_;  // of groups_.front()
  const google::protobuf::FieldDescriptor* leaf_ = nullptr;
};

// The compartments that the option of `field` states.
std::vector<content::v1::Compartment> CompartmentsOf(
    const google::protobuf::FieldDescriptor& field);

}  // namespace godwit::client
