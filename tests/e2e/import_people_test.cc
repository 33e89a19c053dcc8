// The acceptance of an import of people: the 1,184 demo persons of data/sahana-eden become people
// without a case over the real services, and are linked to cases afterwards.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>

#include "client/cases.h"
#include "client/import/csv.h"
#include "client/importer.h"
#include "client/persons.h"
#include "client/pinned_rows.h"
#include "tests/support/builders.h"
#include "tests/support/plaintext_search.h"
#include "tests/support/realm_server.h"
#include "tests/support/shared.h"
#include "tests/support/stolen_vault.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {
namespace {

using base::Code;
using content::v1::Record;
using protocol::Compartment;
using protocol::Kind;
using support::Must;
using support::Require;

constexpr std::size_t kRows = 1'184;
constexpr std::size_t kLinked = 40;
constexpr std::size_t kCaseworkers = 4;

// A row of the file.
struct Demo {
  std::string given;
  std::string family;
  std::string mail;
  std::string phone;
};

std::vector<Demo> ReadDemo(const std::filesystem::path& path) {
  const auto source = Must(OpenFile(path.string()));
  CsvReader reader(*source, ',', Must(FirstRecord(*source)), 1);
  CsvRecord record;
  Must(reader.Next(record));
  const auto place = [header = record.cells](const std::string& column) {
    return static_cast<std::size_t>(std::ranges::find(header, column) - header.begin());
  };
  std::vector<Demo> rows;
  while (Must(reader.Next(record))) {
    rows.push_back({record.cells.at(place("First Name")), record.cells.at(place("Last Name")),
                    record.cells.at(place("Email")), record.cells.at(place("Mobile Phone"))});
  }
  return rows;
}

CaseFile Open(const std::filesystem::path& path) {
  std::vector<Fault> faults;
  auto mapping = Mapping::Load(GODWIT_SOURCE_DIR "/client/import/mappings/people.toml", faults);
  EXPECT_TRUE(mapping) << "the shipped mapping is faulty";
  ImportOptions options;
  options.import_day = 20'000;
  return Must(CaseFile::Open(path.string(), *std::move(mapping), options, faults));
}

ImportReport RunImport(Organisation& organisation, const std::filesystem::path& path) {
  CaseFile file = Open(path);
  return Must(
      ImportRows(organisation, file, false, [](std::string_view, std::uint64_t, std::uint64_t) {}));
}

class ImportPeople : public testing::Test {
 protected:
  void SetUp() override {
    const auto shared = support::SharedFolder();
    if (!shared) GTEST_SKIP();
    path_ = *shared / "data" / "sahana-eden" / "IFRC-Demo-people.csv";
    organisation_ = std::make_unique<support::TestOrganisation>(servers_);
    organisation_->Join(support::Staff(kCaseworkers, 2, 1, 2, 0));
    organisation_->MakeLedgers("in1");
    for (const char* intake : {"in1", "in2"}) organisation_->Sync(intake);
  }

  const support::PostgresDatabase& Database(Compartment compartment) {
    return support::ServerOf(servers_, compartment).database();
  }
  std::vector<std::string> People() {
    std::vector<std::string> vaults;
    for (const auto& row : Database(Compartment::kIdentity)
                               .Sql("SELECT encode(vault_id, 'hex') FROM vault WHERE kind = " +
                                    std::to_string(static_cast<int>(Kind::kPerson)))) {
      vaults.push_back(row[0]);
    }
    return vaults;
  }
  static std::string CaseworkerAt(std::size_t i) { return "cw0" + std::to_string(i + 1); }

  std::filesystem::path path_;
  support::RealmServers servers_;
  std::unique_ptr<support::TestOrganisation> organisation_;
};

// Every mail, phone and name to look for in what the service keeps.
std::set<std::string> WordsOf(const std::vector<Demo>& demo) {
  std::set<std::string> words;
  for (const Demo& row : demo) {
    words.insert({row.mail, row.phone});
    for (const std::string& name : {row.given, row.family}) {
      if (name.size() >= 6) {
        words.insert(name);
      } else {
        words.insert({row.given + " " + row.family, row.family + "," + row.given});
      }
    }
  }
  return words;
}

TEST_F(ImportPeople, EveryRowBecomesAPersonWhomTheirCaseworkerReadsAndLinks) {
  const auto demo = ReadDemo(path_);
  ASSERT_EQ(demo.size(), kRows);
  // PostgreSQL's own files name countries: what is there before anything of people is.
  std::set<std::string> words = WordsOf(demo);
  EXPECT_GT(words.size(), 2 * kRows);
  support::PlaintextSearch before(Database(Compartment::kIdentity).superuser());
  for (const std::string& word : words) before.Look(word);
  const auto own = before.Run();
  EXPECT_LT(own.size(), 10u);
  for (const std::string& word : own) words.erase(word);

  const ImportReport report = RunImport(organisation_->Of("in1"), path_);
  EXPECT_EQ(report.rows, kRows);
  EXPECT_EQ(report.imported, kRows);
  EXPECT_EQ(report.made_now, kRows);
  EXPECT_EQ(report.refused, 0u);
  EXPECT_EQ(report.nameless, 0u);
  EXPECT_EQ(People().size(), kRows);
  EXPECT_EQ(
      Database(Compartment::kCases).Sql("SELECT count(*) FROM vault WHERE kind IN (9, 10)")[0][0],
      "0")
      << "nobody of them has a case";

  // Through the services: each caseworker reads the own quarter, all of it and nobody else's.
  std::multiset<std::string> read;
  for (std::size_t i = 0; i < kCaseworkers; ++i) {
    const std::string handle = CaseworkerAt(i);
    organisation_->Sync(handle);
    Realm& realm = organisation_->RealmOf(handle, Compartment::kIdentity);
    Require(SyncPinnedRows(realm, Kind::kPerson));
    const auto rows = Must(ReadPinnedRows(realm, Kind::kPerson));
    EXPECT_EQ(rows.size(), kRows / kCaseworkers);
    for (const PinnedRow& row : rows) {
      EXPECT_EQ(row.record.link1().case_code(), "");
      const auto file = Must(VaultFile::Open(realm, row.vault, From::kService));
      const auto profiles = file.Of(Record::kIdentityProfile);
      ASSERT_EQ(profiles.size(), 1u);
      const auto& profile = profiles[0]->content.identity_profile();
      ASSERT_EQ(profile.names_size(), 1);
      EXPECT_NE(profile.origin_admin1(), "");
      std::map<content::v1::ContactKind, std::string> contacts;
      for (const auto* entry : file.Of(Record::kContactChannel)) {
        contacts[entry->content.contact_channel().kind()] =
            entry->content.contact_channel().handle();
      }
      EXPECT_EQ(contacts.size(), 3u);
      const auto consents = file.Of(Record::kConsent);
      ASSERT_EQ(consents.size(), 1u);
      EXPECT_EQ(consents[0]->content.consent().store_identity(), content::v1::ANSWER_YES);
      read.insert(profile.names(0).given() + "|" + profile.names(0).family() + "|" +
                  contacts[content::v1::CONTACT_KIND_MAIL] + "|" +
                  contacts[content::v1::CONTACT_KIND_PHONE]);
    }
  }
  std::multiset<std::string> want;
  for (const Demo& row : demo) {
    want.insert(row.given + "|" + row.family + "|" + row.mail + "|" + row.phone);
  }
  EXPECT_EQ(read, want);

  // With all keys on the stolen boxes: the caseworker and the supervisor of each, no importer.
  const auto vaults = People();
  std::vector<std::string> drawn;
  const auto seed = std::random_device()();
  std::cout << "vaults drawn with seed " << seed << "\n";
  std::ranges::sample(vaults, std::back_inserter(drawn), 60, std::mt19937(seed));
  for (const std::string& vault : drawn) {
    const auto openers = support::OpenersOf(
        support::Steal(Database(Compartment::kIdentity), vault), Compartment::kIdentity,
        *organisation_,
        {"cw01", "cw02", "cw03", "cw04", "sv1", "sv2", "kc1", "in1", "in2", "founder"});
    EXPECT_EQ(openers.size(), 2u);
    EXPECT_TRUE(openers.begin()->starts_with("cw")) << *openers.begin();
    EXPECT_TRUE(openers.rbegin()->starts_with("sv")) << *openers.rbegin();
  }

  // Again, and from the second importer's empty home: nothing is added.
  EXPECT_EQ(RunImport(organisation_->Of("in1"), path_).made_now, 0u);
  const auto second = organisation_->WithEmptyStores("in2");
  const ImportReport again = RunImport(*second, path_);
  EXPECT_EQ(again.made_now, 0u);
  EXPECT_EQ(again.imported, kRows);
  EXPECT_EQ(People().size(), kRows);

  // Forty of them get a case by `person link`: a nameless one that their caseworker opened.
  for (std::size_t i = 0; i < kLinked; ++i) {
    Organisation& caseworker = organisation_->Of(CaseworkerAt(i % kCaseworkers));
    NewCase made;
    made.supervisor = "sv1";
    const std::string code = Must(OpenCase(caseworker, std::move(made)));
    const auto people = Must(ListPeople(caseworker));
    const auto free = std::ranges::find_if(people, [](const PersonRow& person) {
      return person.code.empty() && !person.names.empty();
    });
    ASSERT_NE(free, people.end());
    Must(LinkPerson(caseworker, code, free->vault));
    const auto opened = Must(ShowCase(caseworker, code));
    EXPECT_EQ(opened.person, free->vault);
    EXPECT_EQ(opened.link, LinkState::kBothSides);
    EXPECT_EQ(Must(ShowPerson(caseworker, code)).profile.names_size(), 1);
  }

  // Nothing of it lies readable in the databases; a canary that does is found.
  support::PlaintextSearch search(Database(Compartment::kIdentity).superuser());
  for (const std::string& word : words) search.Look(word);
  EXPECT_EQ(search.Run(), std::vector<std::string>());
  const std::string canary = "canary-" + vaults.front();
  Database(Compartment::kIdentity)
      .Sql("CREATE TABLE canary AS SELECT '" + canary + "'::text AS words");
  search.Look(canary);
  EXPECT_EQ(search.Run(), std::vector<std::string>{canary});
}

TEST_F(ImportPeople, AnInterruptedOneIsFinishedByWhoeverComesNext) {
  struct Stop {};
  CaseFile file = Open(path_);
  const auto interrupted = [&] {
    (void)ImportRows(organisation_->Of("in1"), file, false,
                     [&](std::string_view phase, std::uint64_t done, std::uint64_t all) {
                       if (phase == "identity" && done < all) throw Stop();
                     });
  };
  EXPECT_THROW(interrupted(), Stop);
  const std::size_t standing = People().size();
  EXPECT_GT(standing, 0u);
  EXPECT_LT(standing, kRows);
  const auto second = organisation_->WithEmptyStores("in2");
  const ImportReport report = RunImport(*second, path_);
  EXPECT_EQ(report.imported, kRows);
  EXPECT_EQ(report.made_now, kRows - standing);
  EXPECT_EQ(People().size(), kRows);
}

TEST_F(ImportPeople, IsForIntakeAndNeedsNoCasesRealm) {
  for (const char* other : {"cw01", "sv1", "founder"}) {
    CaseFile file = Open(path_);
    const auto refused = ImportRows(organisation_->Of(other), file, false,
                                    [](std::string_view, std::uint64_t, std::uint64_t) {});
    ASSERT_FALSE(refused) << other;
    EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
  }
  support::ServerOf(servers_, Compartment::kCases).Stop();
  EXPECT_TRUE(Must(ImportHandles(organisation_->Of("in1"), Subject::kPeople)).contains("cw01"));
  support::ServerOf(servers_, Compartment::kCases).Start();
}

// The same bytes as cases and as people: what is done of the one is not done of the other.
TEST_F(ImportPeople, TheLedgerKeepsCasesAndPeopleApart) {
  std::vector<Fault> faults;
  const std::string rows = "name\n예시 갑일\n예시 을이\n";
  const auto import = [&](const std::string& toml) {
    auto mapping = Must(Mapping::Parse(toml, faults));
    auto file = Must(CaseFile::Open(OpenMemory(rows), std::move(mapping),
                                    {.import_day = 20'000, .handles = {}}, faults));
    return Must(ImportRows(organisation_->Of("in1"), file, false,
                           [](std::string_view, std::uint64_t, std::uint64_t) {}));
  };
  const std::string common =
      "version = 1\ncaseworker = { in_turn = [\"cw01\"] }\nsupervisor = { in_turn = [\"sv1\"] }\n";
  const auto constant = [](const std::string& target, const std::string& compartment,
                           const std::string& value) {
    return "[[field]]\ntarget = \"" + target + "\"\ncompartment = \"" + compartment +
           "\"\nconstant = \"" + value + "\"\n";
  };
  const std::string name =
      "[[field]]\ntarget = \"identity_profile.names[0].full\"\ncompartment = \"identity\"\n"
      "column = \"name\"\n";
  const std::string people = "imports = \"people\"\n" + common +
                             constant("consent.store_identity", "identity", "yes") + name;
  const std::string cases = common + constant("summary.stage", "status", "contact") +
                            constant("summary.risk", "status", "low") +
                            constant("summary.consent.services", "status", "yes") +
                            constant("summary.consent.store_identity", "status", "yes") + name;
  EXPECT_EQ(import(people).made_now, 2u);
  EXPECT_EQ(import(cases).made_now, 2u);
  EXPECT_EQ(People().size(), 4u);
  EXPECT_EQ(import(people).made_now, 0u);
  EXPECT_EQ(import(cases).made_now, 0u);
}

}  // namespace
}  // namespace godwit::client
