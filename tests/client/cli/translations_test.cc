#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "client/casework/field.h"
#include "client/cli/language.h"
#include "client/cli/output.h"
#include "godwit/content/v1/record.pb.h"

// What is wrong with po/<language>.po. A folder of others is judged by
// GODWIT_TEST_PO=folder client_cli_test --gtest_filter='Languages/*'.
namespace godwit::cli {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::FileDescriptor;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A context and a text; the first is mostly empty.
using Key = std::pair<std::string, std::string>;

struct Message {
  std::string plural;
  std::vector<std::string> translations;  // one, or one a plural form
  std::size_t max_length = 0;             // in columns; 0: any
  bool fuzzy = false;
};

// GNU gettext manual, section 3, "The Format of PO Files".
struct PoFile {
  std::map<Key, Message> messages;
  std::vector<std::string> obsolete;
};

std::string Unquoted(std::string_view line) {
  std::string text;
  const std::size_t begin = line.find('"') + 1;
  line = line.substr(begin, line.rfind('"') - begin);
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      text += line[i];
      continue;
    }
    ++i;
    text += line[i] == 'n' ? '\n' : line[i] == 't' ? '\t' : line[i];
  }
  return text;
}

PoFile ReadPo(std::istream& in) {
  PoFile file;
  Key key;
  Message message;
  std::string* text = nullptr;
  const auto end_message = [&] {
    if (!message.translations.empty() && !key.second.empty()) file.messages[key] = message;
    key = {};
    message = {};
    text = nullptr;
  };
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) {
      end_message();
    } else if (line.starts_with("#~")) {
      if (line.starts_with("#~ msgid ")) file.obsolete.push_back(Unquoted(line));
    } else if (line.starts_with("#,")) {
      message.fuzzy = line.find("fuzzy") != std::string::npos;
    } else if (line.starts_with("#")) {
      constexpr std::string_view kLimit = "max-length:";
      const std::size_t at = line.find(kLimit);
      if (!line.starts_with("#.") || at == std::string::npos) continue;
      std::size_t limit = 0;
      std::from_chars(line.data() + at + kLimit.size(), line.data() + line.size(), limit);
      // Of a text that stands in several places, the narrowest.
      if (message.max_length == 0 || limit < message.max_length) message.max_length = limit;
    } else {
      if (line.starts_with("msgctxt ")) text = &key.first;
      if (line.starts_with("msgid ")) text = &key.second;
      if (line.starts_with("msgid_plural ")) text = &message.plural;
      if (line.starts_with("msgstr")) text = &message.translations.emplace_back();
      if (text != nullptr) *text += Unquoted(line);
    }
  }
  end_message();
  return file;
}

// {0}, {1} and what stands between backquotes.
std::set<std::string> Places(std::string_view text) {
  std::set<std::string> places;
  for (std::size_t i = 0; i + 2 < text.size(); ++i) {
    if (text[i] == '{' && text[i + 2] == '}') places.insert(std::string(text.substr(i, 3)));
  }
  return places;
}
std::set<std::string> Typed(std::string_view text) {
  std::set<std::string> typed;
  for (std::size_t begin = 0; (begin = text.find('`', begin)) != std::string_view::npos;) {
    const std::size_t end = text.find('`', begin + 1);
    if (end == std::string_view::npos) break;
    typed.insert(std::string(text.substr(begin, end + 1 - begin)));
    begin = end + 1;
  }
  return typed;
}

using Part = std::set<std::string> (*)(std::string_view);
std::set<std::string> Of(Part part, const std::string& one, const std::string& many) {
  std::set<std::string> all = part(one);
  all.merge(part(many));
  return all;
}

// What keeps `translated` from being a whole translation of `texts`, a line each.
std::vector<std::string> Faults(const PoFile& texts, const PoFile& translated) {
  std::vector<std::string> faults;
  for (const std::string& text : translated.obsolete) faults.push_back("obsolete: " + text);
  for (const auto& [key, message] : translated.messages) {
    if (!texts.messages.contains(key)) faults.push_back("no such text: " + key.second);
  }
  for (const auto& [key, message] : texts.messages) {
    const auto fault = [&](const std::string& what) { faults.push_back(what + ": " + key.second); };
    const auto found = translated.messages.find(key);
    if (found == translated.messages.end()) {
      fault("missing");
      continue;
    }
    if (found->second.fuzzy) fault("fuzzy");
    if (found->second.translations.size() != 1) fault("more than one form");
    for (const std::string& translation : found->second.translations) {
      if (translation.empty()) {
        fault("not translated");
        continue;
      }
      if (Of(Places, key.second, message.plural) != Places(translation)) fault("other values");
      if (Of(Typed, key.second, message.plural) != Typed(translation)) fault("other backquotes");
      if (message.max_length > 0 && DisplayWidth(translation) > message.max_length) {
        fault(std::to_string(DisplayWidth(translation)) + " columns, not " +
              std::to_string(message.max_length));
      }
    }
  }
  return faults;
}

PoFile PoOf(const std::string& text) {
  std::istringstream in(text);
  return ReadPo(in);
}

constexpr char kTexts[] = R"(msgid ""
msgstr ""
"Project-Id-Version: godwit\n"

#. TRANSLATORS: CaseStage; max-length:24
#. TRANSLATORS: the heading of a column of a table; max-length:8
msgctxt "code"
msgid "identified"
msgstr ""

#, python-brace-format
msgid ""
"{0} of {1} are closed: see `godwit "
"board`"
msgstr ""

#, python-brace-format
msgid "{0} case"
msgid_plural "{0} cases"
msgstr[0] ""
msgstr[1] ""
)";

// kTexts in another language: with these texts, and `rest` behind them.
std::string Translation(const std::string& code, const std::string& sentence,
                        const std::string& counted, const std::string& rest = {}) {
  return "msgid \"\"\nmsgstr \"Language: ko\\n\"\n\n"
         "msgctxt \"code\"\nmsgid \"identified\"\nmsgstr \"" +
         code + "\"\n\nmsgid \"{0} of {1} are closed: see `godwit board`\"\nmsgstr \"\"\n\"" +
         sentence + "\"\n\nmsgid \"{0} case\"\nmsgid_plural \"{0} cases\"\nmsgstr[0] \"" + counted +
         "\"\n" + rest;
}
const std::string kSentence = "{1}건 중 {0}건 종결: `godwit board`";

std::vector<std::string> FaultsOf(const std::string& translation) {
  return Faults(PoOf(kTexts), PoOf(translation));
}

TEST(Translations, WholeOnesHaveNoFault) {
  EXPECT_THAT(FaultsOf(Translation("확인됨", kSentence, "사건 {0}건")), IsEmpty());
}

TEST(Translations, AMissingTextIsFound) {
  EXPECT_THAT(FaultsOf(Translation("", kSentence, "사건 {0}건")),
              ElementsAre("not translated: identified"));
  EXPECT_THAT(FaultsOf(""), ElementsAre("missing: {0} case", HasSubstr("missing: {0} of {1}"),
                                        "missing: identified"));
}

TEST(Translations, AnOverlongTextIsFoundByItsColumns) {
  // Four Hangul syllables take eight columns, five letters of Thai with four marks take five.
  EXPECT_THAT(FaultsOf(Translation("확인됨됨", kSentence, "{0}건")), IsEmpty());
  EXPECT_THAT(FaultsOf(Translation("ที่อยู่ที่", kSentence, "{0}건")), IsEmpty());
  EXPECT_THAT(FaultsOf(Translation("확인됨됨.", kSentence, "{0}건")),
              ElementsAre("9 columns, not 8: identified"));
}

TEST(Translations, ALostOrInventedValueIsFound) {
  EXPECT_THAT(FaultsOf(Translation("확인", "{1}건 종결: `godwit board`", "{0}건")),
              ElementsAre(HasSubstr("other values: {0} of {1}")));
  EXPECT_THAT(FaultsOf(Translation("확인", kSentence, "{0}건 {1}")),
              ElementsAre("other values: {0} case"));
}

TEST(Translations, ATranslatedCommandIsFound) {
  EXPECT_THAT(FaultsOf(Translation("확인", "{1}건 중 {0}건: `갓윗 게시판`", "{0}건")),
              ElementsAre(HasSubstr("other backquotes: {0} of {1}")));
}

TEST(Translations, WhatIsLeftOverIsFound) {
  EXPECT_THAT(FaultsOf(Translation("확인", kSentence, "{0}건",
                                   "\n#, fuzzy\nmsgid \"gone\"\n"
                                   "msgstr \"갔음\"\n")),
              ElementsAre("no such text: gone"));
  EXPECT_THAT(FaultsOf(Translation("확인", kSentence, "{0}건",
                                   "\n#~ msgid \"gone\"\n#~ msgstr \"갔음\"\n")),
              ElementsAre("obsolete: gone"));
  EXPECT_THAT(FaultsOf(Translation("확인", kSentence, "{0}건", "msgstr[1] \"{0}건\"\n")),
              ElementsAre("more than one form: {0} case"));
  std::string guessed = Translation("확인", kSentence, "{0}건");
  guessed.insert(guessed.find("msgctxt"), "#, fuzzy\n");
  EXPECT_THAT(FaultsOf(guessed), ElementsAre("fuzzy: identified"));
}

PoFile Texts() {
  std::ifstream file(std::string(GODWIT_TREE) + "/po/godwit.pot");
  return ReadPo(file);
}

class Languages : public testing::TestWithParam<std::string_view> {};

TEST_P(Languages, AreWholeAndFitTheirPlaces) {
  const char* given = std::getenv("GODWIT_TEST_PO");
  const std::string folder = given == nullptr ? std::string(GODWIT_TREE) + "/po" : given;
  std::ifstream file(folder + "/" + std::string(GetParam()) + ".po");
  ASSERT_TRUE(file) << folder;
  const PoFile texts = Texts();
  ASSERT_GT(texts.messages.size(), 1000u);
  for (const std::string& fault : Faults(texts, ReadPo(file))) ADD_FAILURE() << fault;
}

INSTANTIATE_TEST_SUITE_P(, Languages, testing::ValuesIn(kLanguages),
                         [](const auto& language) { return std::string(language.param); });

// `file` and all that it imports of the same package.
void AddFiles(const FileDescriptor& file, std::set<const FileDescriptor*>& files) {
  if (file.package() != "godwit.content.v1" || !files.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) AddFiles(*file.dependency(i), files);
}

std::set<std::string> CodesOf(const EnumDescriptor& type) {
  std::set<std::string> codes;
  for (int i = 0; i < type.value_count(); ++i) {
    if (type.value(i)->number() != 0) codes.insert(client::ShortName(*type.value(i)));
  }
  return codes;
}

// The names that a record's fields have where it is shown.
void AddFields(const Descriptor& type, std::set<std::string>& fields) {
  using namespace content::v1;
  for (const auto* value :
       {PartialDate::descriptor(), AgeBand::descriptor(), Money::descriptor()}) {
    if (&type == value) return;
  }
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.type() == FieldDescriptor::TYPE_BYTES) continue;
    fields.insert(field.name());
    if (field.message_type() != nullptr) AddFields(*field.message_type(), fields);
  }
}

TEST(Translations, EveryCodeAndFieldOfARecordIsAmongTheTexts) {
  const PoFile texts = Texts();
  std::set<const FileDescriptor*> files;
  AddFiles(*content::v1::Record::descriptor()->file(), files);
  std::set<std::string> codes;
  for (const FileDescriptor* file : files) {
    for (int i = 0; i < file->enum_type_count(); ++i) {
      if (file->enum_type(i) == content::v1::Compartment_descriptor()) continue;
      codes.merge(CodesOf(*file->enum_type(i)));
    }
    for (int i = 0; i < file->message_type_count(); ++i) {
      for (int j = 0; j < file->message_type(i)->enum_type_count(); ++j) {
        codes.merge(CodesOf(*file->message_type(i)->enum_type(j)));
      }
    }
  }
  // The bodies that commands print in words of their own, if at all.
  const std::set<std::string> unseen = {
      "note",           "link1",        "staff_human",     "act",   "case_begin", "conflict",
      "screening_link", "ledger_block", "directory_entry", "family"};
  std::set<std::string> fields;
  const auto& bodies = *content::v1::Record::descriptor()->oneof_decl(0);
  for (int i = 0; i < bodies.field_count(); ++i) {
    if (unseen.contains(bodies.field(i)->name())) continue;
    AddFields(*bodies.field(i)->message_type(), fields);
  }
  ASSERT_GT(codes.size(), 200u);
  ASSERT_GT(fields.size(), 100u);
  for (const std::string& code : codes) {
    EXPECT_TRUE(texts.messages.contains({"code", code})) << "code " << code;
  }
  for (const std::string& field : fields) {
    EXPECT_TRUE(texts.messages.contains({"field", field})) << "field " << field;
  }
}

}  // namespace
}  // namespace godwit::cli
