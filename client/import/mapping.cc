#include "client/import/mapping.h"

#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <span>

#include "client/casework/inert.h"
#include "client/import/source.h"

namespace godwit::client {
namespace {

using base::Code;
using base::Error;
using content::v1::Compartment;

constexpr std::size_t kMaxFields = 256;
constexpr std::size_t kMaxList = 10'000;
constexpr std::size_t kMaxFormats = 16;

constexpr std::array<std::string_view, 10> kTopKeys = {
    "version", "imports", "delimiter",  "trim",       "ignore",
    "about",   "field",   "caseworker", "supervisor", "sentinels"};
constexpr std::array<std::string_view, 11> kFieldKeys = {
    "target",  "compartment", "constant",          "column", "values",   "sentinels",
    "formats", "no_answer",   "zeros_are_unknown", "as",     "separator"};
constexpr std::array<std::string_view, 3> kStaffKeys = {"column", "values", "in_turn"};

struct NamedNoAnswer {
  std::string_view name;
  NoAnswer no_answer;
};
constexpr std::array<NamedNoAnswer, 5> kNoAnswers = {{
    {"absent", NoAnswer::kAbsent},
    {"unknown", NoAnswer::kUnknown},
    {"not_asked", NoAnswer::kNotAsked},
    {"refused", NoAnswer::kRefused},
    {"not_applicable", NoAnswer::kNotApplicable},
}};

struct NamedCompartment {
  std::string_view name;
  Compartment compartment;
};
constexpr std::array<NamedCompartment, 3> kCompartments = {{
    {"identity", content::v1::COMPARTMENT_IDENTITY},
    {"status", content::v1::COMPARTMENT_STATUS},
    {"sensitive", content::v1::COMPARTMENT_SENSITIVE},
}};

// What a case that begins anywhere but in CONTACT must say of itself (docs/architecture.md).
constexpr std::array<std::string_view, 4> kRequired = {
    "summary.stage", "summary.risk", "summary.consent.services", "summary.consent.store_identity"};

template <class Table>
auto FindNamed(const Table& table, std::string_view name) {
  return std::find_if(table.begin(), table.end(),
                      [&](const auto& row) { return row.name == name; });
}

}  // namespace

class MappingParser {
 public:
  MappingParser(const toml::table& root, std::vector<Fault>& faults)
      : root_(root), faults_(faults) {}

  base::Result<Mapping> Parse() {
    CheckKeys(root_, kTopKeys, "");
    const auto version = root_["version"].value_exact<std::int64_t>();
    if (version != 1) Complain(root_["version"].node(), "version", "this reads version = 1");
    ReadSubject();
    ReadDelimiter();
    if (const auto* trim = root_.get("trim")) {
      mapping_.trim_ = trim->value_exact<bool>().value_or(false);
      if (!trim->is_boolean()) Complain(trim, "trim", "this takes true or false");
    }
    if (const auto* ignore = root_.get("ignore")) {
      for (auto& column : Texts(ignore, "ignore")) mapping_.ignored_columns_.insert(column);
    }
    ReadNamedSentinels();
    ReadStaff("caseworker", mapping_.caseworker_);
    ReadStaff("supervisor", mapping_.supervisor_);
    ReadFields();
    CheckWhole();
    if (!faults_.empty()) return Error(Code::kInvalidArgument, "the mapping has faults");
    return std::move(mapping_);
  }

 private:
  using Sentinels = std::map<std::string, NoAnswer, std::less<>>;

  void Complain(const toml::node* node, std::string_view where, base::Literal why) {
    const std::uint32_t line = node == nullptr ? 0 : node->source().begin.line;
    faults_.push_back({line, Inert(where, 120), why.text()});
  }

  void CheckKeys(const toml::table& table, std::span<const std::string_view> known,
                 const std::string& where) {
    for (const auto& [key, node] : table) {
      if (std::find(known.begin(), known.end(), key.str()) == known.end()) {
        Complain(&node, where + std::string(key.str()), "there is no such key");
      }
    }
  }

  // The text of `node`; empty, with a complaint, where it is none.
  std::string Text(const toml::node* node, const std::string& where) {
    const auto text = node->value_exact<std::string>();
    if (!text) Complain(node, where, "this takes a text");
    return text.value_or("");
  }

  std::vector<std::string> Texts(const toml::node* node, const std::string& where) {
    std::vector<std::string> texts;
    const auto* list = node->as_array();
    if (list == nullptr || list->size() > kMaxList) {
      Complain(node, where, "this takes a list of at most 10,000 texts");
      return texts;
    }
    for (const auto& each : *list) texts.push_back(Text(&each, where));
    return texts;
  }

  void ReadSubject() {
    const auto* node = root_.get("imports");
    if (node == nullptr) return;
    const auto text = Text(node, "imports");
    if (text == "people") mapping_.subject_ = Subject::kPeople;
    if (text != "people" && text != "cases")
      Complain(node, "imports", "this takes cases or people");
  }

  void ReadDelimiter() {
    const auto* node = root_.get("delimiter");
    if (node == nullptr) return;
    const auto text = Text(node, "delimiter");
    if (text != "," && text != ";" && text != "\t" && text != "|") {
      Complain(node, "delimiter", "this takes a comma, a semicolon, a tab or a bar");
      return;
    }
    mapping_.delimiter_ = text[0];
  }

  Sentinels ReadSentinels(const toml::table& table, const std::string& where) {
    Sentinels sentinels;
    for (const auto& [key, node] : table) {
      const auto kind = FindNamed(kNoAnswers, key.str());
      if (kind == kNoAnswers.end()) {
        Complain(&node, where + "." + std::string(key.str()),
                 "a sentinel is absent, unknown, not_asked, refused or not_applicable");
        continue;
      }
      for (const auto& cell : Texts(&node, where)) {
        if (!sentinels.emplace(cell, kind->no_answer).second) {
          Complain(&node, where, "a sentinel stands here twice");
        }
      }
    }
    return sentinels;
  }

  void ReadNamedSentinels() {
    const auto* node = root_.get("sentinels");
    if (node == nullptr) return;
    const auto* tables = node->as_table();
    if (tables == nullptr) {
      Complain(node, "sentinels", "this takes tables: [sentinels.NAME]");
      return;
    }
    for (const auto& [name, each] : *tables) {
      const std::string where = "sentinels." + std::string(name.str());
      if (const auto* table = each.as_table()) {
        named_sentinels_[std::string(name.str())] = ReadSentinels(*table, where);
      } else {
        Complain(&each, where, "this takes a table");
      }
    }
  }

  void ReadStaff(const std::string& key, Mapping::Staff& staff) {
    const auto* node = root_.get(key);
    const auto* table = node == nullptr ? nullptr : node->as_table();
    if (table == nullptr) {
      Complain(node, key, "the mapping names a column of handles, or handles in turn");
      return;
    }
    CheckKeys(*table, kStaffKeys, key + ".");
    const auto* column = table->get("column");
    const auto* in_turn = table->get("in_turn");
    const auto* values = table->get("values");
    if ((column == nullptr) == (in_turn == nullptr) || (values != nullptr && column == nullptr)) {
      Complain(table, key, "this takes either a column, perhaps with values, or in_turn");
      return;
    }
    if (column != nullptr) staff.column = NameOfColumn(column, key + ".column");
    if (in_turn != nullptr) {
      staff.in_turn = Texts(in_turn, key + ".in_turn");
      if (staff.in_turn.empty()) Complain(in_turn, key + ".in_turn", "the list is empty");
    }
    if (values != nullptr) {
      const auto* pairs = values->as_table();
      if (pairs == nullptr || pairs->empty()) {
        Complain(values, key + ".values", "this takes a table of cells and handles");
        return;
      }
      for (const auto& [cell, handle] : *pairs) {
        staff.values[std::string(cell.str())] = Text(&handle, key + ".values");
      }
    }
    const auto check = [&](const std::string& handle) {
      if (!IsHandle(handle)) Complain(table, key, "a handle is 1 to 64 bytes of plain text");
    };
    for (const auto& handle : staff.in_turn) check(handle);
    for (const auto& [cell, handle] : staff.values) check(handle);
  }

  std::string NameOfColumn(const toml::node* node, const std::string& where) {
    auto name = Text(node, where);
    if (name.empty()) Complain(node, where, "a column has a name");
    return name;
  }

  void ReadFields() {
    const auto* node = root_.get("field");
    const auto* list = node == nullptr ? nullptr : node->as_array();
    if (list == nullptr || list->empty() || list->size() > kMaxFields) {
      Complain(node, "field", "the mapping has 1 to 256 tables [[field]]");
      return;
    }
    for (const auto& each : *list) {
      if (const auto* table = each.as_table()) {
        ReadField(*table);
      } else {
        Complain(&each, "field", "this takes tables: [[field]]");
      }
    }
  }

  void ReadField(const toml::table& table) {
    const auto* path_node = table.get("target");
    if (path_node == nullptr) {
      Complain(&table, "field", "a field names its target");
      return;
    }
    const std::string path = Text(path_node, "target");
    const std::string where = path + ": ";
    CheckKeys(table, kFieldKeys, where);

    const auto target = FindTarget(path_node, path);
    const auto compartment = ReadCompartment(table, where);
    if (!target || !compartment) return;
    if (!target->in(*compartment)) {
      Complain(table.get("compartment"), path, "the field is kept in another compartment");
      return;
    }
    Mapping::Field field{.target = *target};
    const auto* constant = table.get("constant");
    const auto* column = table.get("column");
    if ((constant == nullptr) == (column == nullptr)) {
      Complain(&table, path, "a field has either a column or a constant");
      return;
    }
    if (constant != nullptr) {
      for (const auto* key : {"values", "sentinels", "formats", "no_answer", "zeros_are_unknown",
                              "as", "separator"}) {
        if (const auto* extra = table.get(key)) {
          Complain(extra, where + key, "this belongs to a column, not to a constant");
        }
      }
      ReadConstants(*constant, where + "constant", field);
    } else {
      field.column = NameOfColumn(column, where + "column");
      ReadColumn(table, where, *compartment, field);
    }
    mapping_.fields_.push_back(std::move(field));
  }

  std::optional<Target> FindTarget(const toml::node* node, const std::string& path) {
    auto target = Target::Find(path);
    if (!target) {
      faults_.push_back({node->source().begin.line, Inert(path, 120), target.error().message()});
      return std::nullopt;
    }
    if (!target->IsOf(mapping_.subject_)) {
      if (mapping_.subject_ == Subject::kPeople) {
        Complain(node, path, "people have identity_profile, contacts and consent, and no case");
      } else {
        Complain(node, path, "what a case's person agreed to stands in summary.consent");
      }
      return std::nullopt;
    }
    return std::move(*target);
  }

  std::optional<Compartment> ReadCompartment(const toml::table& table, const std::string& where) {
    const auto* node = table.get("compartment");
    if (node == nullptr) {
      Complain(&table, where + "compartment", "a field states its compartment");
      return std::nullopt;
    }
    const auto named = FindNamed(kCompartments, Text(node, where + "compartment"));
    if (named == kCompartments.end()) {
      Complain(node, where + "compartment", "this takes identity, status or sensitive");
      return std::nullopt;
    }
    return named->compartment;
  }

  std::optional<Value> ReadValue(const toml::node& node, const Target& target,
                                 const std::string& where) {
    const auto text = node.value_exact<std::string>();
    if (!text) {
      Complain(&node, where, "this takes a text");
      return std::nullopt;
    }
    auto value = target.Parse(*text);
    if (!value) {
      faults_.push_back({node.source().begin.line, Inert(where, 120), value.error().message()});
      return std::nullopt;
    }
    if (target.path() == "summary.stage" &&
        std::get<EnumNumber>(*value).number == content::v1::CASE_STAGE_CLOSED) {
      Complain(&node, where, "an import begins no case that is closed");
      return std::nullopt;
    }
    return std::move(*value);
  }

  void ReadConstants(const toml::node& node, const std::string& where, Mapping::Field& field) {
    const auto* list = node.as_array();
    if (list != nullptr && !field.target.repeated()) {
      Complain(&node, where, "the field takes one value");
      return;
    }
    const auto add = [&](const toml::node& each) {
      if (auto value = ReadValue(each, field.target, where)) {
        field.constants.push_back(std::move(*value));
      }
    };
    if (list == nullptr) {
      add(node);
    } else {
      for (const auto& each : *list) add(each);
    }
  }

  void ReadColumn(const toml::table& table, const std::string& where, Compartment compartment,
                  Mapping::Field& field) {
    ReadTable(table, where, compartment, field);
    ReadFormats(table, where, field);
    if (const auto* node = table.get("separator")) {
      field.separator = Text(node, where + "separator");
      if (field.separator.empty() || !field.target.repeated()) {
        Complain(node, where + "separator", "only a field with many values has a separator");
      }
    }
    if (const auto* node = table.get("no_answer")) {
      ReadNoAnswerTarget(*node, where, compartment, field);
    }
    if (const auto* node = table.get("sentinels")) ReadFieldSentinels(*node, where, field);
  }

  void ReadTable(const toml::table& table, const std::string& where, Compartment compartment,
                 Mapping::Field& field) {
    const auto* node = table.get("values");
    const auto kind = field.target.kind();
    if (node == nullptr) {
      if (kind == ValueKind::kEnum || kind == ValueKind::kFlag) {
        Complain(&table, where + "values", "the cells of this column need a table of values");
      }
      // What anybody on a desk reads has no room for a text that somebody once typed.
      if (kind == ValueKind::kText && compartment == content::v1::COMPARTMENT_STATUS) {
        Complain(&table, where + "values",
                 "a text in the status compartment needs a table of values");
      }
      return;
    }
    const auto* pairs = node->as_table();
    if (pairs == nullptr || pairs->empty() || pairs->size() > kMaxList) {
      Complain(node, where + "values", "this takes a table of 1 to 10,000 cells and values");
      return;
    }
    field.has_table = true;
    for (const auto& [cell, each] : *pairs) {
      const std::string key(cell.str());
      if (auto value = ReadValue(each, field.target, where + "values." + key)) {
        field.values.emplace(key, std::move(*value));
      }
    }
  }

  void ReadFormats(const toml::table& table, const std::string& where, Mapping::Field& field) {
    const auto kind = field.target.kind();
    const bool dated = kind == ValueKind::kDate || kind == ValueKind::kDay;
    for (const auto* key : {"formats", "zeros_are_unknown", "as"}) {
      const auto* node = table.get(key);
      if (node != nullptr && (!dated || field.has_table)) {
        Complain(node, where + key, "only a date without a table of values has this");
        return;
      }
    }
    if (!dated || field.has_table) return;
    const auto* formats = table.get("formats");
    if (formats == nullptr) {
      Complain(&table, where + "formats", "a column of dates needs its formats");
      return;
    }
    for (const auto& text : Texts(formats, where + "formats")) {
      auto format = DateFormat::Parse(text);
      if (!format) {
        faults_.push_back({formats->source().begin.line, Inert(where + "formats", 120),
                           format.error().message()});
        return;
      }
      if (kind == ValueKind::kDay && text.find('D') == std::string::npos) {
        Complain(formats, where + "formats", "this field needs the day");
      }
      field.formats.push_back(std::move(*format));
    }
    if (field.formats.empty() || field.formats.size() > kMaxFormats) {
      Complain(formats, where + "formats", "a column of dates has 1 to 16 formats");
    }
    if (const auto* node = table.get("zeros_are_unknown")) {
      field.zeros = node->value_exact<bool>().value_or(false);
      if (!node->is_boolean() || kind == ValueKind::kDay) {
        Complain(node, where + "zeros_are_unknown", "this takes true or false, of partial dates");
      }
    }
    if (const auto* node = table.get("as")) {
      field.estimated = true;
      if (Text(node, where + "as") != "estimated" || kind == ValueKind::kDay) {
        Complain(node, where + "as", "this takes \"estimated\", of partial dates");
      }
    }
  }

  void ReadNoAnswerTarget(const toml::node& node, const std::string& where, Compartment compartment,
                          Mapping::Field& field) {
    auto target = FindTarget(&node, Text(&node, where + "no_answer"));
    if (!target) return;
    if (!target->in(compartment)) {
      Complain(&node, where + "no_answer", "the field is kept in another compartment");
    } else if (target->kind() != ValueKind::kEnum || target->repeated() ||
               !target->ValueOf(NoAnswer::kNotApplicable)) {
      Complain(&node, where + "no_answer", "this names a field that takes an answer");
    } else {
      field.no_answer_target = std::move(*target);
    }
  }

  void ReadFieldSentinels(const toml::node& node, const std::string& where, Mapping::Field& field) {
    if (const auto* table = node.as_table()) {
      field.no_answers = ReadSentinels(*table, where + "sentinels");
    } else {
      const auto named = named_sentinels_.find(Text(&node, where + "sentinels"));
      if (named == named_sentinels_.end()) {
        Complain(&node, where + "sentinels", "there are no sentinels of that name");
        return;
      }
      field.no_answers = named->second;
    }
    const auto& holder = field.no_answer_target ? *field.no_answer_target : field.target;
    for (const auto& [cell, no_answer] : field.no_answers) {
      if (field.values.contains(cell)) {
        Complain(&node, where + "sentinels", "a cell is both a value and a sentinel");
      }
      const bool required =
          std::find(kRequired.begin(), kRequired.end(), field.target.path()) != kRequired.end();
      if (no_answer == NoAnswer::kAbsent ? required : !holder.ValueOf(no_answer)) {
        Complain(&node, where + "sentinels", "the field has no value for that kind of no answer");
      }
    }
  }

  void CheckWhole() {
    std::set<std::string> paths;
    std::map<Target::Element, bool> elements;
    const auto add = [&](const Target& target) {
      if (!paths.insert(target.path()).second && !target.repeated()) {
        Complain(nullptr, target.path(), "two fields have this target");
      }
    };
    for (const auto& field : mapping_.fields_) {
      add(field.target);
      if (field.no_answer_target) add(*field.no_answer_target);
      if (field.target.element()) {
        bool& answered = elements[*field.target.element()];
        answered = answered || !field.column.empty();
      }
    }
    std::map<std::string_view, int> next;
    for (const auto& [element, answered] : elements) {
      if (element.second != next[element.first]++)
        Complain(nullptr, "[...]", "a list of groups counts from [0] on");
      if (!answered) Complain(nullptr, "[...]", "a group needs a field with a column");
    }
    for (const auto path : kRequired) {
      if (mapping_.subject_ == Subject::kPeople) break;
      if (!paths.contains(std::string(path))) {
        Complain(nullptr, path, "a mapping gives stage, risk and the consents to both");
      }
    }
    for (const auto& column : mapping_.ignored_columns_) {
      const bool used = column == mapping_.caseworker_.column ||
                        column == mapping_.supervisor_.column ||
                        std::any_of(mapping_.fields_.begin(), mapping_.fields_.end(),
                                    [&](const auto& field) { return field.column == column; });
      if (used) Complain(root_.get("ignore"), column, "a column is both used and ignored");
    }
  }

  const toml::table& root_;
  std::vector<Fault>& faults_;
  Mapping mapping_;
  std::map<std::string, Sentinels, std::less<>> named_sentinels_;
};

base::Result<Mapping> Mapping::Parse(std::string_view toml, std::vector<Fault>& faults) {
  if (toml.size() > kMaxMappingBytes) {
    faults.push_back({0, "", "the mapping is larger than 1 MiB"});
    return Error(Code::kInvalidArgument, "the mapping is larger than 1 MiB");
  }
  faults.clear();
  try {
    const auto root = toml::parse(toml);
    return MappingParser(root, faults).Parse();
  } catch (const toml::parse_error& error) {
    faults.push_back({error.source().begin.line, "", base::Literal("this is not TOML").text()});
    return Error(Code::kInvalidArgument, "the mapping is not TOML");
  }
}

base::Result<Mapping> Mapping::Load(const std::string& path, std::vector<Fault>& faults) {
  auto source = OpenFile(path);
  if (!source) return source.error();
  std::string text;
  std::array<char, 16 << 10> buffer;
  while (text.size() <= kMaxMappingBytes) {
    const auto got = (*source)->ReadAt(text.size(), buffer);
    if (!got) return got.error();
    if (*got == 0) break;
    text.append(buffer.data(), *got);
  }
  return Parse(text, faults);
}

bool Mapping::Gives(std::string_view path) const {
  return std::any_of(fields_.begin(), fields_.end(),
                     [&](const Field& field) { return field.target.path() == path; });
}

bool IsHandle(std::string_view text) {
  return !text.empty() && text.size() <= 64 && IsUtf8(text) && !HasControl(text) &&
         text.find_first_of("\t\r\n") == std::string_view::npos && Trimmed(text) == text;
}

}  // namespace godwit::client
