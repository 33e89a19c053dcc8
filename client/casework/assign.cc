#include "client/casework/assign.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <array>
#include <cassert>
#include <utility>
#include <vector>

#include "client/casework/inert.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using content::v1::Record;
using google::protobuf::FieldDescriptor;

struct Word {
  std::string_view text;
  NoAnswer no_answer;
  content::v1::Answer answer;
};
constexpr std::array<Word, 4> kWords{{
    {"?unknown", NoAnswer::kUnknown, content::v1::ANSWER_UNKNOWN},
    {"?not_asked", NoAnswer::kNotAsked, content::v1::ANSWER_NOT_ASKED},
    {"?refused", NoAnswer::kRefused, content::v1::ANSWER_REFUSED},
    {"?not_applicable", NoAnswer::kNotApplicable, content::v1::ANSWER_NOT_APPLICABLE},
}};

const FieldDescriptor& BodyField(const Record& record) {
  const auto* body = Record::descriptor()->FindFieldByNumber(static_cast<int>(record.body_case()));
  assert(body != nullptr);
  return *body;
}

void Forget(const std::string& path, Record& record) {
  auto& rows = *record.mutable_unanswered();
  for (int i = rows.size() - 1; i >= 0; --i) {
    if (rows.Get(i).field() == path) rows.DeleteSubrange(i, 1);
  }
}

}  // namespace

base::Status AssignAll(const std::vector<Change>& changes, content::v1::Record& record) {
  for (const Change& change : changes) {
    const auto field = FieldPath::Find(*BodyOf(record).GetDescriptor(), change.path);
    if (!field) return field.error();
    if (const auto set = Assign(*field, change.value, record); !set) return set;
  }
  return {};
}

void MakeBody(Record::BodyCase body, Record& record) {
  const auto* field = Record::descriptor()->FindFieldByNumber(static_cast<int>(body));
  assert(field != nullptr);
  record.GetReflection()->MutableMessage(&record, field);
}
google::protobuf::Message& BodyOf(Record& record) {
  return *record.GetReflection()->MutableMessage(&record, &BodyField(record));
}
const google::protobuf::Message& BodyOf(const Record& record) {
  return record.GetReflection()->GetMessage(record, &BodyField(record));
}

base::Status Assign(const FieldPath& field, std::string_view text, Record& record) {
  std::vector<Value> values;
  const Word* word = nullptr;
  for (const Word& each : kWords) {
    if (text == each.text) word = &each;
  }
  if (word == nullptr && text.starts_with('?')) {
    return Error(
        Code::kInvalidArgument,
        "why there is no answer is one of ?unknown, ?not_asked, ?refused, ?not_applicable");
  }
  if (word != nullptr) {
    if (auto value = field.ValueOf(word->no_answer)) values.push_back(*std::move(value));
  } else if (!text.empty()) {
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t comma = field.repeated() ? rest.find(',') : std::string_view::npos;
      auto value = field.Parse(field.repeated() ? Trimmed(rest.substr(0, comma)) : rest);
      if (!value) return value.error();
      values.push_back(*std::move(value));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  Forget(field.path(), record);
  field.Clear(BodyOf(record));
  for (const Value& value : values) field.Set(value, BodyOf(record));
  if (word != nullptr && values.empty()) {
    auto& row = *record.add_unanswered();
    row.set_field(field.path());
    row.set_why(word->answer);
  }
  return {};
}

}  // namespace godwit::client
