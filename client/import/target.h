#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "client/casework/field.h"
#include "godwit/content/v1/case.pb.h"
#include "godwit/content/v1/compartment.pb.h"
#include "godwit/content/v1/identity.pb.h"
#include "godwit/content/v1/person.pb.h"

namespace godwit::client {

// What the rows of a file are: cases with their people, or people who have no case yet.
enum class Subject { kCases, kPeople };

// The records that an imported row becomes; of people the last three.
struct RowRecords {
  content::v1::Summary summary;  // without code, caseworker and supervisor
  content::v1::Case case_facts;
  content::v1::TraffickingContext trafficking_context;
  content::v1::IdentityProfile identity_profile;
  std::vector<content::v1::ContactChannel> contacts;
  content::v1::Consent consent;  // of people; a case's is in its summary
};

// A field that an import may fill: "summary.sex", "summary.consent.services",
// "identity_profile.names[0].full", "contacts[1].handle". All but Find is its FieldPath's.
class Target {
 public:
  // The roots are summary, case, trafficking_context, identity_profile, contacts[N] and consent.
  // E_NOT_FOUND: no such field. E_PERMISSION_DENIED: a field that an import never sets: code,
  // status, condition, members, gates, approvals and the like. E_INVALID_ARGUMENT: the path ends in
  // a group of fields, or a repeated one has no [index] below 16.
  static base::Result<Target> Find(std::string_view path);

  const std::string& path() const { return path_; }
  ValueKind kind() const { return field_.kind(); }
  bool repeated() const { return field_.repeated(); }
  bool in(content::v1::Compartment compartment) const { return field_.in(compartment); }
  // Whether rows of that kind have the field.
  bool IsOf(Subject subject) const;
  // The group of a list that the field is in: "names" or "contacts", and its index.
  using Element = std::pair<std::string_view, int>;
  std::optional<Element> element() const;
  std::size_t max_length() const { return field_.max_length(); }
  base::Result<Value> Parse(std::string_view text) const { return field_.Parse(text); }
  std::optional<Value> ValueOf(NoAnswer no_answer) const { return field_.ValueOf(no_answer); }
  void Set(const Value& value, RowRecords& records) const;

 private:
  Target(std::string path, int root, std::optional<int> contact, FieldPath field)
      : path_(std::move(path)), root_(root), contact_(contact), field_(std::move(field)) {}

  std::string path_;
  int root_ = 0;
  std::optional<int> contact_;  // whose index of contacts the root has
  FieldPath field_;
};

}  // namespace godwit::client
