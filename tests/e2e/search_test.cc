// Searching on one's own device: names in any script, words in what one reads, and what is left of
// it on the disk.
#include "client/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "client/case_acts.h"
#include "client/case_code.h"
#include "client/cases.h"
#include "client/entries.h"
#include "client/persons.h"
#include "tests/support/builders.h"
#include "tests/support/realm_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using namespace content::v1;  // NOLINT: names of records
using base::Code;
using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Require;
using How = Hit::How;

class Searching : public testing::Test {
 protected:
  Searching() : organisation_(servers_) { organisation_.Join(support::Staff(2, 1, 1, 0, 0)); }

  Organisation& Of(const std::string& handle) { return organisation_.Of(handle); }

  std::string Open(const std::vector<std::string>& names) {
    NewCase made;
    made.supervisor = "sv1";
    made.summary.mutable_consent()->set_store_identity(ANSWER_YES);
    made.summary.mutable_consent()->set_services(ANSWER_YES);
    for (const std::string& name : names) made.profile.add_names()->set_full(name);
    return Must(OpenCase(Of("cw01"), std::move(made)));
  }
  EntryWritten Add(const std::string& code, const char* kind, const std::vector<Change>& changes) {
    return Must(AddEntry(Of("cw01"), code, *FindEntryKind(kind), changes));
  }
  std::vector<Hit> Find(const std::string& handle, const std::string& query) {
    auto found = Must(client::Search(Of(handle), query));
    EXPECT_EQ(found.unopened, 0u);
    return std::move(found.hits);
  }
  std::size_t Count(const std::string& handle, const std::string& query) {
    return Find(handle, query).size();
  }
  // The texts that were found, with how.
  std::vector<std::pair<How, std::string>> Seen(const std::string& handle,
                                                const std::string& query) {
    std::vector<std::pair<How, std::string>> seen;
    for (const Hit& hit : Find(handle, query)) seen.emplace_back(hit.how, hit.snippet);
    return seen;
  }
  Realm& CasesOf(const std::string& handle) {
    return organisation_.RealmOf(handle, Compartment::kCases);
  }

  // How many files below a folder hold these bytes.
  static std::size_t FilesWith(const std::filesystem::path& folder, const std::string& bytes) {
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string all{std::istreambuf_iterator<char>(in), {}};
      files += all.find(bytes) == std::string::npos ? 0 : 1;
    }
    return files;
  }

  support::RealmServers servers_;
  support::TestOrganisation organisation_;
};

TEST_F(Searching, ANameIsFoundFromEveryScriptAndTheSameOneComesFirst) {
  const std::string code = Open({"리철수", "王小明"});
  const std::string other = Open({"리철수미"});
  using Rows = std::vector<std::pair<How, std::string>>;
  for (const char* query :
       {"Ri Chol Su", "Lee Cheol-soo", "李哲秀", "Yi Ch'ŏlsu", "Chul-soo LEE"}) {
    const auto hits = Find("cw01", query);
    ASSERT_FALSE(hits.empty()) << query;
    EXPECT_EQ(hits[0].snippet, "리철수") << query;
    EXPECT_EQ(hits[0].how, How::kSoundsSame) << query;
    EXPECT_EQ(hits[0].code, code);
    EXPECT_EQ(hits[0].kind, Kind::kPerson);
    EXPECT_EQ(hits[0].record, Record::kIdentityProfile);
    EXPECT_EQ(hits[0].field, "names[0]");
  }
  EXPECT_EQ(Seen("cw01", "리 철수"),
            (Rows{{How::kSameName, "리철수"}, {How::kInName, "리철수미"}}));
  EXPECT_EQ(Seen("cw01", "Xiaoming Wang"), (Rows{{How::kSoundsSame, "王小明"}}));
  // One and two characters.
  EXPECT_EQ(Count("cw01", "철수"), 2u);
  EXPECT_EQ(Seen("cw01", "미"), (Rows{{How::kInName, "리철수미"}}));
  EXPECT_EQ(Seen("cw01", "明"), (Rows{{How::kInName, "王小明"}}));
  const auto by_code = Find("cw01", other);
  ASSERT_EQ(by_code.size(), 1u);
  EXPECT_EQ(by_code[0].record, Record::kSummary);
  EXPECT_EQ(by_code[0].code, other);
  const std::string typed = other.substr(0, 4) + "-" + other.substr(4, 4) + "-" + other.substr(8);
  EXPECT_EQ(Count("cw01", typed), 1u);
}

TEST_F(Searching, NamesInAnyScriptStayAsTheyWereEntered) {
  // The last two are one name, of whole syllables and of single letters.
  const std::vector<std::string> names{"리철수",     "李哲秀",         "สมชาย ใจดี",
                                       "ວຽງ ໃຈດີ",    "Nguyễn Văn Đức", "Ли Чхоль Су",
                                       "Ri Chŏl-su", "가예",           "\u1100\u1161\u110b\u1168"};
  const std::string code = Open(names);
  const auto person = Must(ShowPerson(Of("cw01"), code));
  std::vector<std::string> read;
  for (const auto& name : person.profile.names()) read.push_back(name.full());
  EXPECT_EQ(read, names);
  for (const std::string& name : names) {
    const auto hits = Find("cw01", name);
    EXPECT_TRUE(std::ranges::any_of(hits, [&](const Hit& hit) {
      return hit.how == How::kSameName && hit.snippet == name;
    })) << name;
  }
}

TEST_F(Searching, FindsEverythingThatOneReadsAndNothingElse) {
  const std::string code = Open({"홍예시"});
  Must(AddNote(Of("cw01"), code, "Met at a market,\nand again in a Teahouse."));
  Add(code, "need", {{"code", "sm"}, {"detail", "asthma since childhood"}});
  Add(code, "assessment", {{"risk", "high"}, {"situation", "hides in a shed"}});
  Add(code, "plan", {{"goals[0].goal", "a quiet lodging"}});
  Add(code, "kin", {{"relation", "sister"}, {"name.full", "홍가명"}});
  Add(code, "contact", {{"kind", "phone"}, {"handle", "+000 555 0123"}});
  Must(AddComment(Of("cw01"), code, Kind::kSensitive, "sv1", "may we pay for the ferry?"));
  Must(AddComment(Of("cw01"), code, Kind::kCase, "", "waits for papers"));
  NewTask task;
  task.kind = TASK_KIND_REVIEW;
  task.text = "ask the pharmacist";
  Must(AddTask(Of("cw01"), code, Kind::kSensitive, task));
  const auto alone = Must(AddPerson(Of("cw01"), {"sv1", {{"names[0].full", "혼자인"}}, true}));
  for (const char* handle : {"cw01", "cw02", "sv1", "kc1"}) organisation_.Sync(handle);
  Must(RecordScreening(Of("kc1"), code, {{"state", "doubt"}, {"grounds", "a gap of two years"}}));

  const struct {
    std::string query;
    Record::BodyCase record;
    std::vector<std::string> readers;
  } rows[] = {
      {"teahouse MARKET", Record::kNote, {"cw01", "sv1"}},
      {"asthma", Record::kSpecificNeed, {"cw01", "sv1"}},
      {"shed", Record::kAssessment, {"cw01", "sv1"}},
      {"lodging", Record::kCasePlan, {"cw01", "sv1"}},
      {"Hong Kamyong", Record::kKin, {"cw01"}},
      {"555 0123", Record::kContactChannel, {"cw01"}},
      {"ferry", Record::kComment, {"cw01", "sv1"}},
      {"papers", Record::kComment, {"cw01", "sv1", "kc1"}},
      {"pharmacist", Record::kTask, {"cw01", "sv1"}},
      {"Hong Ye-si", Record::kIdentityProfile, {"cw01"}},
      {"gap of two", Record::kSecurityScreening, {"kc1"}},
  };
  for (const auto& [query, record, readers] : rows) {
    for (const std::string handle : {"cw01", "cw02", "sv1", "kc1"}) {
      // A coordinator keeps whole only the cases that they opened.
      if (handle == "kc1") Must(ShowCase(Of("kc1"), code));
      const auto hits = Find(handle, query);
      const bool reads = std::ranges::count(readers, handle) > 0;
      ASSERT_EQ(hits.size(), reads ? 1u : 0u) << handle << " searches " << query;
      if (!reads) continue;
      EXPECT_EQ(hits[0].record, record) << query;
      EXPECT_EQ(hits[0].code, code) << query;
    }
  }
  const auto lonely = Find("cw01", "Hon Ja In");
  ASSERT_EQ(lonely.size(), 1u);
  EXPECT_EQ(lonely[0].vault, alone.vault);
  EXPECT_EQ(lonely[0].code, "");
  EXPECT_EQ(Find("cw01", "teahouse")[0].snippet, "… market, and again in a Teahouse.");
}

// Three characters and more go by the index of trigrams, fewer by a look at every text: whatever
// stands in a text is found by any piece of it.
TEST_F(Searching, AnyPieceOfATextFindsIt) {
  const std::string code = Open({});
  const std::string text = "\"quoted\" AND 50%_off* -near(의사) ﬁn";
  Must(AddNote(Of("cw01"), code, text));
  std::vector<std::string> letters;
  for (const char c : text) {
    if ((c & 0xc0) != 0x80) letters.emplace_back();
    letters.back() += c;
  }
  for (std::size_t size = 1; size <= 5; ++size) {
    for (std::size_t first = 0; first + size <= letters.size(); first += 2) {
      std::string piece;
      for (std::size_t i = 0; i < size; ++i) piece += letters[first + i];
      if (piece == " ") continue;
      const auto hits = Find("cw01", piece);
      EXPECT_TRUE(std::ranges::any_of(hits, [](const Hit& hit) {
        return hit.record == Record::kNote;
      })) << piece;
    }
  }
  EXPECT_EQ(Count("cw01", "quoted missing"), 0u);
  const std::string far(400, 'x');
  Must(AddNote(Of("cw01"), code, far + " needle " + far));
  const std::string snippet = Find("cw01", "needle").at(0).snippet;
  EXPECT_LT(snippet.size(), 120u);
  EXPECT_NE(snippet.find("needle"), std::string::npos);
}

TEST_F(Searching, WhatChangedIsOpenedAgainAndTheRestIsReadFromTheSealedCache) {
  const std::string code = Open({});
  const auto need = Add(code, "need", {{"code", "sm"}, {"detail", "asthma"}});
  EXPECT_EQ(Count("cw01", "asthma"), 1u);
  // Another word in what is kept is found: the vault was not opened.
  Store& store = CasesOf("cw01").store();
  std::size_t planted = 0;
  for (const char digit : std::string("0123456789abcdef")) {
    auto kept = Must(store.Get(std::string("searched/") + digit));
    if (!kept) continue;
    std::string bytes = base::ToString(*kept);
    if (const auto at = bytes.find("asthma"); at != std::string::npos) {
      bytes.replace(at, 6, "cholic");
      Require(store.Put(std::string("searched/") + digit, base::AsBytes(bytes)));
      ++planted;
    }
  }
  ASSERT_EQ(planted, 1u);
  EXPECT_EQ(Count("cw01", "cholic"), 1u);
  // The vault changed, and is opened.
  Must(AddNote(Of("cw01"), code, "a visit"));
  EXPECT_EQ(Count("cw01", "cholic"), 0u);
  EXPECT_EQ(Count("cw01", "asthma"), 1u);
  // What is kept by another version of the program counts for nothing.
  for (const char digit : std::string("0123456789abcdef")) {
    Require(store.Put(std::string("searched/") + digit, base::AsBytes(std::string("\x7f?"))));
  }
  EXPECT_EQ(Count("cw01", "asthma"), 1u);

  Must(ChangeEntry(Of("cw01"), code, *FindEntryKind("need"), ShortId(need.record),
                   {{"detail", "pneumonia"}}));
  EXPECT_EQ(Count("cw01", "asthma"), 0u);
  EXPECT_EQ(Count("cw01", "pneumonia"), 1u);
  Must(StrikeEntry(Of("cw01"), code, *FindEntryKind("need"), ShortId(need.record)));
  EXPECT_EQ(Count("cw01", "pneumonia"), 0u);
}

TEST_F(Searching, WorksWithoutANetworkAndFindsWhatWaits) {
  const std::string sent = Open({});
  Add(sent, "need", {{"code", "sm"}, {"detail", "asthma"}});
  EXPECT_EQ(Count("cw01", "asthma"), 1u);
  for (const auto compartment : {Compartment::kCases, Compartment::kIdentity}) {
    support::ServerOf(servers_, compartment).Stop();
  }
  Must(AddNote(Of("cw01"), sent, "a visit that nobody heard of"));
  const std::string waiting = Open({"가명일"});
  ASSERT_TRUE(CanonicalCaseCode("nobody heard")) << "words that are a case code, too";
  EXPECT_EQ(Count("cw01", "nobody heard"), 1u);
  EXPECT_EQ(Count("cw01", "asthma"), 1u);
  const auto hits = Find("cw01", "Ka Myong-il");
  ASSERT_EQ(hits.size(), 1u);
  EXPECT_EQ(hits[0].code, waiting);
}

TEST_F(Searching, LeavesNothingReadableOnTheDisk) {
  const std::string name = "황보가상";
  const std::string word = "wheelbarrow";
  const std::string code = Open({name});
  Must(AddNote(Of("cw01"), code, "hidden under a " + word));
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(Count("cw01", name), 1u);
    EXPECT_EQ(Count("cw01", word), 1u);
    EXPECT_EQ(Count("cw01", "Hwangbo Kasang"), 1u);
  }
  const auto home = organisation_.Home("cw01");
  // In UTF-8 and UTF-16, and the sound of the name, which the cache holds sealed.
  const std::string wide{'\x69', '\xd6', '\xf4', '\xbc', '\x00', '\xac', '\xc1', '\xc0'};
  const std::vector<std::string> secrets{name, word, wide, "khwAnkpOkAsAnk"};
  for (const std::string& secret : secrets) EXPECT_EQ(FilesWith(home, secret), 0u);
  EXPECT_GT(FilesWith(home, "SQLite format 3"), 0u) << "the stores were looked at";
  // A control: this is how it would be found.
  std::string all;
  for (const std::string& secret : secrets) all += secret;
  std::ofstream(home / "control", std::ios::binary) << all;
  for (const std::string& secret : secrets) EXPECT_EQ(FilesWith(home, secret), 1u);
}

TEST_F(Searching, RefusesToSearchForNothingAndForTooMuch) {
  for (const std::string& query : {std::string(), std::string("  \n"), std::string(201, 'x')}) {
    const auto found = client::Search(Of("cw01"), query);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error().code(), Code::kInvalidArgument);
  }
  EXPECT_EQ(Count("cw01", std::string(200, 'x')), 0u);
  EXPECT_EQ(Count("cw01", "\xff\xfe\xfd"), 0u);
}

}  // namespace
}  // namespace godwit::client
