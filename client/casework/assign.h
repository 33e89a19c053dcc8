#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "client/casework/field.h"
#include "godwit/content/v1/record.pb.h"

namespace godwit::client {

// Writes what a person typed for a field of a record's body: a value as FieldPath::Parse takes it,
// for a list several with commas between; empty: cleared; "?unknown", "?not_asked", "?refused" or
// "?not_applicable": why there is no value, in the field's own words if it has them, else beside
// it. INVALID_ARGUMENT: the field has no such value; the record is as it was.
base::Status Assign(const FieldPath& field, std::string_view text, content::v1::Record& record);

// What a person typed for a field: its path, and its new value as Assign takes it.
struct Change {
  std::string path;
  std::string value;
};
// Writes them into a record's body, one after the other. NOT_FOUND: no such field; else as
// FieldPath::Find and Assign. The record may have some of them then.
base::Status AssignAll(const std::vector<Change>& changes, content::v1::Record& record);

// Gives a record an empty body of that kind.
void MakeBody(content::v1::Record::BodyCase body, content::v1::Record& record);
// The message of a record's body; it must have one.
google::protobuf::Message& BodyOf(content::v1::Record& record);
const google::protobuf::Message& BodyOf(const content::v1::Record& record);

}  // namespace godwit::client
