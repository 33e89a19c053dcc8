#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "client/casework/field.h"
#include "godwit/content/v1/case.pb.h"
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

// A field that an import may fill: "summary.sex", "summary.consent.services",
// "identity_profile.names[0].full". All but Find is its FieldPath's.
class Target {
 public:
  // The roots are summary, case, trafficking_context and identity_profile.
  // E_NOT_FOUND: no such field. E_PERMISSION_DENIED: a field that an import never sets: code,
  // status, condition, members, gates, approvals and the like. E_INVALID_ARGUMENT: the path ends in
  // a group of fields, or a repeated one has no [index] below 16.
  static base::Result<Target> Find(std::string_view path);

  const std::string& path() const { return path_; }
  ValueKind kind() const { return field_.kind(); }
  bool repeated() const { return field_.repeated(); }
  bool in(content::v1::Compartment compartment) const { return field_.in(compartment); }
  std::optional<int> element() const { return field_.element(); }
  std::size_t max_length() const { return field_.max_length(); }
  base::Result<Value> Parse(std::string_view text) const { return field_.Parse(text); }
  std::optional<Value> ValueOf(NoAnswer no_answer) const { return field_.ValueOf(no_answer); }
  void Set(const Value& value, RowRecords& records) const;

 private:
  Target(std::string path, int root, FieldPath field)
      : path_(std::move(path)), root_(root), field_(std::move(field)) {}

  std::string path_;
  int root_ = 0;
  FieldPath field_;
};

}  // namespace godwit::client
