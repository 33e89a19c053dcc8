#include "client/casework/merge.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <google/protobuf/unknown_field_set.h>

#include <algorithm>
#include <memory>

#include "godwit/content/v1/common.pb.h"

namespace godwit::client {
namespace {

using content::v1::Record;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// A date, an age band, an amount: changed as a whole, since a mixture of two means neither.
bool IsValue(const FieldDescriptor& field) {
  return field.message_type()->file() == content::v1::PartialDate::descriptor()->file();
}

std::unique_ptr<Message> Empty(const Message& like) { return std::unique_ptr<Message>(like.New()); }

// `message` with nothing but the elements or value of `field`.
std::unique_ptr<Message> Only(const Message& message, const FieldDescriptor& field) {
  auto only = Empty(message);
  auto copy = std::unique_ptr<Message>(message.New());
  copy->CopyFrom(message);
  copy->GetReflection()->SwapFields(copy.get(), only.get(), {&field});
  return only;
}

std::string BytesOf(const Message& message, const FieldDescriptor& field) {
  return Only(message, field)->SerializeAsString();
}

void CopyField(const Message& from, const FieldDescriptor& field, Message& to) {
  auto only = Only(from, field);
  to.GetReflection()->ClearField(&to, &field);
  to.GetReflection()->SwapFields(&to, only.get(), {&field});
}

// The elements of a list, each as the bytes of a message that holds it alone.
std::vector<std::string> Elements(const Message& message, const FieldDescriptor& field) {
  std::vector<std::string> elements;
  const int count = message.GetReflection()->FieldSize(message, &field);
  for (int i = 0; i < count; ++i) {
    auto one = Only(message, field);
    const auto* reflection = one->GetReflection();
    reflection->SwapElements(one.get(), &field, 0, i);
    while (reflection->FieldSize(*one, &field) > 1) reflection->RemoveLast(one.get(), &field);
    elements.push_back(one->SerializeAsString());
  }
  return elements;
}

// How often an element is there decides: more often than at the base was added, less was taken
// away.
void MergeList(const Message& base, const Message& mine, const FieldDescriptor& field,
               Message& merged) {
  const auto at_base = Elements(base, field);
  const auto in_mine = Elements(mine, field);
  std::vector<std::string> result = Elements(merged, field);
  const auto difference = [](const std::vector<std::string>& from,
                             std::vector<std::string> without) {
    std::vector<std::string> left;
    for (const std::string& element : from) {
      const auto found = std::ranges::find(without, element);
      if (found == without.end()) {
        left.push_back(element);
      } else {
        without.erase(found);
      }
    }
    return left;
  };
  for (const std::string& gone : difference(at_base, in_mine)) {
    const auto found = std::ranges::find(result, gone);
    if (found != result.end()) result.erase(found);
  }
  // Both may have added the same.
  const auto added_by_them = difference(Elements(merged, field), at_base);
  for (const std::string& added : difference(difference(in_mine, at_base), added_by_them)) {
    result.push_back(added);
  }
  merged.GetReflection()->ClearField(&merged, &field);
  for (const std::string& element : result) merged.MergeFromString(element);
}

// Joins `mine` into `merged`, which is theirs.
void MergeMessage(const Message& base, const Message& mine, const std::string& path,
                  Message& merged, std::vector<std::string>& both) {
  const auto& type = *base.GetDescriptor();
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    const std::string at_base = BytesOf(base, field);
    const std::string in_mine = BytesOf(mine, field);
    const std::string in_theirs = BytesOf(merged, field);
    if (in_mine == at_base || in_mine == in_theirs) continue;
    if (in_theirs == at_base) {
      CopyField(mine, field, merged);
      continue;
    }
    const std::string name = path.empty() ? field.name() : path + "." + field.name();
    if (field.is_repeated()) {
      MergeList(base, mine, field, merged);
    } else if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE && !IsValue(field)) {
      MergeMessage(base.GetReflection()->GetMessage(base, &field),
                   mine.GetReflection()->GetMessage(mine, &field), name,
                   *merged.GetReflection()->MutableMessage(&merged, &field), both);
    } else {
      both.push_back(name);
    }
  }
  const auto unknown = [](const Message& message) {
    std::string bytes;
    message.GetReflection()->GetUnknownFields(message).SerializeToString(&bytes);
    return bytes;
  };
  if (unknown(merged) == unknown(base) && unknown(mine) != unknown(base)) {
    auto& fields = *merged.GetReflection()->MutableUnknownFields(&merged);
    fields.Clear();
    fields.MergeFrom(mine.GetReflection()->GetUnknownFields(mine));
  }
}

const FieldDescriptor* BodyOf(const Record& record) {
  return Record::descriptor()->FindFieldByNumber(static_cast<int>(record.body_case()));
}

// Walks to the message that holds the last step of `path` in a record's body.
struct Place {
  Message* holder = nullptr;
  const FieldDescriptor* field = nullptr;
};
Place Find(Record& record, std::string_view path) {
  const FieldDescriptor* body = BodyOf(record);
  if (body == nullptr) return {};
  Message* message = record.GetReflection()->MutableMessage(&record, body);
  for (;;) {
    const std::size_t dot = path.find('.');
    const auto* field = message->GetDescriptor()->FindFieldByName(std::string(path.substr(0, dot)));
    if (field == nullptr) return {};
    if (dot == std::string_view::npos) return {message, field};
    if (field->is_repeated() || field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) return {};
    message = message->GetReflection()->MutableMessage(message, field);
    path.remove_prefix(dot + 1);
  }
}

}  // namespace

Merged Merge(const Record& base, const Record& mine, const Record& theirs) {
  Merged merged{theirs, {}};
  if (base.body_case() != theirs.body_case() || base.body_case() != mine.body_case()) return merged;
  const FieldDescriptor* body = BodyOf(base);
  // What the envelope says is joined as a body is.
  Record base_envelope = base;
  Record my_envelope = mine;
  Record envelope = theirs;
  for (Record* record : {&base_envelope, &my_envelope, &envelope}) record->clear_body();
  std::vector<std::string> of_envelope;
  MergeMessage(base_envelope, my_envelope, "", envelope, of_envelope);
  merged.record = envelope;
  if (body == nullptr) return merged;
  const auto part = [&](const Record& record) -> const Message& {
    return record.GetReflection()->GetMessage(record, body);
  };
  Message& target = *merged.record.GetReflection()->MutableMessage(&merged.record, body);
  target.CopyFrom(part(theirs));
  MergeMessage(part(base), part(mine), "", target, merged.both);
  return merged;
}

Record OnlyField(const Record& record, const std::string& field) {
  Record only;
  const FieldDescriptor* body = BodyOf(record);
  if (body != nullptr) {
    only.GetReflection()->MutableMessage(&only, body);
    TakeField(field, record, only);
  }
  return only;
}

void TakeField(const std::string& field, const Record& from, Record& record) {
  Record source = from;
  const Place there = Find(source, field);
  const Place here = Find(record, field);
  if (there.field == nullptr || here.field == nullptr) return;
  CopyField(*there.holder, *there.field, *here.holder);
}

}  // namespace godwit::client
