// The acceptance of an import: the 14,299 real, anonymous records of data/ctdc over the real
// services and databases, and who can read what of them afterwards.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <thread>

#include "client/board.h"
#include "client/cases.h"
#include "client/importer.h"
#include "client/pinned_rows.h"
#include "client/vault_view.h"
#include "protocol/epoch_keys.h"
#include "protocol/record.h"
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

constexpr std::size_t kRows = 14'299;
// All rows are imported once and counted; boxes are tried, imports killed and so on over kSample
// rows. The nightly build of this file is a suite of its own, in which those are all rows too.
#ifdef GODWIT_NIGHTLY
#define IMPORT_SUITE ImportNightly
constexpr std::size_t kSample = kRows;
constexpr double kLongestRun = 60;
#else
#define IMPORT_SUITE Import
constexpr std::size_t kSample = 500;
constexpr double kLongestRun = 4;
#endif

std::filesystem::path CtdcFile(const std::filesystem::path& shared) {
  return shared / "data" / "ctdc" / "ctdc-victims-cleaned-14299.csv";
}

Mapping CtdcMapping() {
  std::vector<Fault> faults;
  auto mapping = Mapping::Load(GODWIT_SOURCE_DIR "/client/import/mappings/ctdc.toml", faults);
  EXPECT_TRUE(mapping) << "the shipped mapping is faulty";
  return *std::move(mapping);
}

CaseFile Open(const std::filesystem::path& file) {
  std::vector<Fault> faults;
  ImportOptions options;
  options.import_day = 20'000;
  return Must(CaseFile::Open(file.string(), CtdcMapping(), options, faults));
}

// The first `rows` rows of the file, in a file of their own.
std::filesystem::path Head(const std::filesystem::path& file, std::size_t rows,
                           const std::filesystem::path& folder) {
  std::ifstream in(file);
  const auto path = folder / "head.csv";
  std::ofstream out(path);
  std::string line;
  for (std::size_t i = 0; i <= rows && std::getline(in, line); ++i) out << line << "\n";
  return path;
}

ImportReport RunImport(Organisation& organisation, const std::filesystem::path& path) {
  CaseFile file = Open(path);
  return Must(
      ImportRows(organisation, file, false, [](std::string_view, std::uint64_t, std::uint64_t) {}));
}

std::vector<std::string> Handles(const std::vector<Newcomer>& staff) {
  std::vector<std::string> handles{"founder"};
  for (const Newcomer& newcomer : staff) handles.push_back(newcomer.handle);
  return handles;
}

class IMPORT_SUITE : public testing::Test {
 protected:
  IMPORT_SUITE()
      : folder_(std::filesystem::temp_directory_path() / ("godwit-import-" + RandomName())) {
    std::filesystem::create_directories(folder_);
  }
  ~IMPORT_SUITE() override { std::filesystem::remove_all(folder_); }

  static std::string RandomName() {
    std::array<std::uint8_t, 8> bytes{};
    crypto::FillRandom(bytes);
    return base::ToHex(bytes);
  }

  // An organisation of the size that the acceptance names.
  void MakeOrganisation() {
    staff_ = support::Staff(40, 2, 2, 2, 1);
    organisation_ = std::make_unique<support::TestOrganisation>(servers_);
    organisation_->Join(staff_);
    organisation_->MakeLedgers("in1");
    for (const char* intake : {"in1", "in2"}) organisation_->Sync(intake);
  }

  // Three vaults a row, and nothing else of these kinds.
  void ExpectThreeVaultsEach(std::size_t rows) {
    for (const auto& [compartment, kind] : {std::pair(Compartment::kCases, Kind::kCase),
                                            std::pair(Compartment::kCases, Kind::kSensitive),
                                            std::pair(Compartment::kIdentity, Kind::kPerson)}) {
      EXPECT_EQ(support::ServerOf(servers_, compartment)
                    .database()
                    .Sql("SELECT count(*) FROM vault WHERE kind = " +
                         std::to_string(static_cast<int>(kind)))[0][0],
                std::to_string(rows));
    }
  }

  // Tries all keys on all boxes of `count` rows drawn at random; prints the seed.
  void TryAllBoxes(std::size_t count) {
    const auto seed = std::random_device()();
    std::cout << "rows drawn with seed " << seed << "\n";
    std::mt19937 generator(seed);
    const auto& cases = support::ServerOf(servers_, Compartment::kCases).database();
    const auto& identity = support::ServerOf(servers_, Compartment::kIdentity).database();
    const auto people = Handles(staff_);
    // The truth comes from the caseworkers' own view: who holds which case.
    std::size_t tried = 0;
    for (const auto& [kind, realm, database] :
         {std::tuple(Kind::kCase, Compartment::kCases, &cases),
          std::tuple(Kind::kSensitive, Compartment::kCases, &cases),
          std::tuple(Kind::kPerson, Compartment::kIdentity, &identity)}) {
      auto rows = database->Sql("SELECT encode(vault_id, 'hex') FROM vault WHERE kind = " +
                                std::to_string(static_cast<int>(kind)) + " ORDER BY vault_id");
      std::ranges::shuffle(rows, generator);
      rows.resize(std::min(rows.size(), count));
      for (const auto& row : rows) {
        const support::StolenVault vault = support::Steal(*database, row[0]);
        const auto openers = support::OpenersOf(vault, realm, *organisation_, people);
        std::size_t caseworkers = 0;
        std::size_t supervisors = 0;
        std::size_t coordinators = 0;
        std::size_t others = 0;
        for (const std::string& handle : openers) {
          if (handle.starts_with("cw")) {
            ++caseworkers;
          } else if (handle.starts_with("sv")) {
            ++supervisors;
          } else if (handle.starts_with("kc")) {
            ++coordinators;
          } else {
            ++others;
          }
        }
        EXPECT_EQ(caseworkers, 1u);
        EXPECT_EQ(supervisors, 1u);
        EXPECT_EQ(coordinators, kind == Kind::kCase ? 2u : 0u);
        EXPECT_EQ(others, 0u);
        ++tried;
      }
    }
    std::cout << "boxes of " << tried << " vaults tried with the keys of " << people.size()
              << " people\n";
    EXPECT_EQ(tried, 3 * count);
  }

  std::filesystem::path folder_;
  support::RealmServers servers_;
  std::vector<Newcomer> staff_;
  std::unique_ptr<support::TestOrganisation> organisation_;
};

TEST_F(IMPORT_SUITE, EveryRowBecomesACaseThatItsPeopleRead) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  MakeOrganisation();
  const auto path = CtdcFile(*shared);
  const auto begin = std::chrono::steady_clock::now();
  const ImportReport report = RunImport(organisation_->Of("in1"), path);
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - begin);
  std::cout << report.imported << " rows imported in " << seconds.count() << " s\n";
  EXPECT_EQ(report.rows, kRows);
  EXPECT_EQ(report.imported, kRows);
  EXPECT_EQ(report.made_now, kRows);
  EXPECT_EQ(report.refused, 0u);

  ExpectThreeVaultsEach(kRows);

  // A coordinator's board counts what the README of the data counts.
  Realm& coordinator = organisation_->RealmOf("kc1", Compartment::kCases);
  Require(SyncPinnedRows(coordinator, Kind::kCase));
  std::map<content::v1::Sex, std::size_t> sexes;
  std::map<std::uint32_t, std::size_t> ages;
  std::set<std::string> codes;
  std::map<std::string, std::size_t> caseworkers;
  for (const PinnedRow& row : Must(ReadPinnedRows(coordinator, Kind::kCase))) {
    const auto& summary = row.record.summary();
    ++sexes[summary.sex()];
    ++ages[summary.age_band().from_years()];
    codes.insert(summary.code());
    ++caseworkers[summary.caseworker()];
    EXPECT_EQ(CanonicalCaseCode(summary.code()), summary.code());
    EXPECT_EQ(summary.flags(0), content::v1::CASE_FLAG_IMPORTED);
  }
  EXPECT_EQ(codes.size(), kRows);
  EXPECT_EQ(caseworkers.size(), 40u);
  EXPECT_EQ(sexes[content::v1::SEX_FEMALE], 12'460u);
  EXPECT_EQ(sexes[content::v1::SEX_MALE], 1'839u);
  const std::map<std::uint32_t, std::size_t> want{{0, 201},   {9, 4942},  {18, 2056},
                                                  {21, 1547}, {24, 1219}, {27, 895},
                                                  {30, 2213}, {39, 802},  {48, 424}};
  EXPECT_EQ(ages, want);

  // Through the services: a caseworker reads all three parts of the own cases.
  organisation_->Sync("cw07");
  Organisation& caseworker = organisation_->Of("cw07");
  const auto cases = Must(ListCases(caseworker));
  EXPECT_EQ(cases.size(),
            caseworkers.at(base::ToString(
                organisation_->RealmOf("cw07", Compartment::kCases).member().bytes())));
  for (std::size_t i = 0; i < cases.size(); i += 12) {
    const auto opened = Must(ShowCase(caseworker, cases[i].summary.code()));
    EXPECT_TRUE(opened.sensitive_readable());
    EXPECT_TRUE(opened.trafficking);
    EXPECT_EQ(opened.link, LinkState::kBothSides);
    const auto person = Must(ShowPerson(caseworker, cases[i].summary.code()));
    EXPECT_EQ(person.profile.sex(), cases[i].summary.sex());
    EXPECT_EQ(ShowCase(organisation_->Of("cw08"), cases[i].summary.code()).error().code(),
              Code::kNotFound);
    EXPECT_EQ(ShowCase(organisation_->Of("in1"), cases[i].summary.code()).error().code(),
              Code::kNotFound);
  }
  TryAllBoxes(kSample);

  // Again, and from the second importer's empty home: nothing is added.
  for (const char* importer : {"in1", "in2"}) {
    const ImportReport again = RunImport(organisation_->Of(importer), path);
    EXPECT_EQ(again.made_now, 0u);
    EXPECT_EQ(again.imported, kRows);
  }
  ExpectThreeVaultsEach(kRows);

  // The order of arrival must not join the realms: the n-th person is not the n-th case.
  const auto order = [&](Compartment compartment, Kind kind) {
    return support::ServerOf(servers_, compartment)
        .database()
        .Sql("SELECT encode(vault_id, 'hex') FROM vault WHERE kind = " +
             std::to_string(static_cast<int>(kind)) + " ORDER BY mark, ctid");
  };
  const auto persons = order(Compartment::kIdentity, Kind::kPerson);
  const auto sensitives = order(Compartment::kCases, Kind::kSensitive);
  std::map<std::string, std::size_t> person_at;
  for (std::size_t i = 0; i < persons.size(); ++i) person_at[persons[i][0]] = i;
  // One caseworker's links are enough of a sample.
  Realm& cw = organisation_->RealmOf("cw07", Compartment::kCases);
  std::map<std::string, std::string> link;
  for (const PinnedRow& row : Must(ReadPinnedRows(cw, Kind::kSensitive))) {
    link[base::ToHex(row.vault.bytes())] =
        base::ToHex(base::AsBytes(row.record.link1().person_vault()));
  }
  std::size_t joined = 0;
  for (std::size_t i = 0; i < sensitives.size(); ++i) {
    const auto mine = link.find(sensitives[i][0]);
    if (mine != link.end() && person_at.at(mine->second) == i) ++joined;
  }
  std::cout << "joined by the order of arrival: " << joined << " of " << link.size() << "\n";
  EXPECT_LE(joined, 3u);

  // Nothing readable lies in the databases; a canary that does is found.
  support::PlaintextSearch search(
      support::ServerOf(servers_, Compartment::kCases).database().superuser());
  for (const char* text : {"Forced Marriage", "Intimate Partner", "Domestic Work"}) {
    search.Look(text);
  }
  EXPECT_EQ(search.Run(), std::vector<std::string>());
  const std::string canary = "canary-" + RandomName();
  support::ServerOf(servers_, Compartment::kCases)
      .database()
      .Sql("CREATE TABLE canary AS SELECT '" + canary + "'::text AS words");
  support::ServerOf(servers_, Compartment::kCases).database().Sql("CHECKPOINT");
  search.Look(canary);
  EXPECT_EQ(search.Run(), std::vector<std::string>{canary});
}

// attacks.md row 57: the ledger joins person and case as long as an import lasts, and no longer.
TEST_F(IMPORT_SUITE, Row57TheLedgerJoinsNothingAfterTheImport) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  MakeOrganisation();
  const auto path = Head(CtdcFile(*shared), 200, folder_);
  RunImport(organisation_->Of("in1"), path);
  const auto people = Handles(staff_);
  for (const auto compartment : {Compartment::kIdentity, Compartment::kCases}) {
    const auto& database = support::ServerOf(servers_, compartment).database();
    const auto ledger = database.Sql("SELECT encode(vault_id, 'hex') FROM vault WHERE kind = 18");
    ASSERT_EQ(ledger.size(), 1u);
    const support::StolenVault stolen = support::Steal(database, ledger[0][0]);
    // Blocks of 64 rows: four, each with one revision left.
    EXPECT_EQ(stolen.chain.records.size(), 4u);
    const auto openers = support::OpenersOf(stolen, compartment, *organisation_, people);
    EXPECT_EQ(openers, (std::set<std::string>{"in1", "in2"}));
    // And what an importer opens says "done" and nothing else.
    Realm& importer = organisation_->RealmOf("in1", compartment);
    auto view = Must(VaultView::Fetch(importer, stolen.id));
    for (const auto& [id, record] : Must(view.ReadAll(Record::kLedgerBlock))) {
      EXPECT_TRUE(record.ledger_block().done());
      EXPECT_EQ(record.ledger_block().lines_size(), 0);
    }
  }
}

// attacks.md row 56: the server may know the file and number every line of it, and finds by that
// no record that was derived from a line.
TEST_F(IMPORT_SUITE, Row56TheServersDictionaryOfLinesFindsNoRecord) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  MakeOrganisation();
  constexpr std::uint32_t kLines = 200;
  const auto path = Head(CtdcFile(*shared), kLines, folder_);
  RunImport(organisation_->Of("in1"), path);
  const CaseFile file = Open(path);
  const auto object = std::span(file.sha256()).first<16>();
  for (const auto compartment : {Compartment::kIdentity, Compartment::kCases}) {
    const auto& database = support::ServerOf(servers_, compartment).database();
    std::set<base::RecordId> stored;
    for (const auto& row : database.Sql("SELECT record_id FROM record")) {
      stored.insert(*base::RecordId::FromBytes(support::FromSql(row[0])));
    }
    const auto ledger = database.Sql("SELECT vault_id FROM vault WHERE kind = 18");
    const auto vault = *base::VaultId::FromBytes(support::FromSql(ledger[0][0]));
    const auto hits = [&](const protocol::Vek& key) {
      std::size_t count = 0;
      for (std::uint32_t line = 0; line < kLines; ++line) {
        std::array<std::uint8_t, 32> cause{};
        for (std::size_t i = 0; i < 4; ++i) {
          cause[28 + i] = static_cast<std::uint8_t>(line >> (24 - 8 * i));
        }
        for (std::uint8_t machine = 0; machine < 32; ++machine) {
          count += stored.count(protocol::DerivedRecordId(key, vault, machine, object, cause));
        }
      }
      return count;
    };
    // What a server has in the place of the key: nothing, the file's hash, the realm's name.
    Realm& importer = organisation_->RealmOf("in1", compartment);
    const base::Bytes nothing(32);
    for (const base::ByteSpan known : {base::ByteSpan(nothing), base::ByteSpan(file.sha256()),
                                       base::ByteSpan(importer.roster().fingerprint().bytes())}) {
      EXPECT_EQ(hits(Must(protocol::Vek::Copy(known.first<32>()))), 0u);
    }
    // With the key there is one for every block of 64 lines.
    auto view = Must(VaultView::Fetch(importer, vault));
    EXPECT_EQ(hits(*Must(view.KeyOf(1))), 4u);
  }
}

TEST_F(IMPORT_SUITE, AnInterruptedImportIsFinishedByWhoeverComesNext) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  MakeOrganisation();
  const auto path = Head(CtdcFile(*shared), 300, folder_);
  // Given up in the middle of the second realm.
  struct Stop {};
  CaseFile file = Open(path);
  const auto interrupted = [&] {
    (void)ImportRows(organisation_->Of("in1"), file, false,
                     [&](std::string_view phase, std::uint64_t, std::uint64_t) {
                       if (phase == "cases") throw Stop();
                     });
  };
  EXPECT_THROW(interrupted(), Stop);
  // The plan is still there, for importers alone.
  const ImportReport report = RunImport(organisation_->Of("in2"), path);
  EXPECT_EQ(report.imported, 300u);
  ExpectThreeVaultsEach(300);
}

// The real program is killed at random moments, and a colleague with an empty home finishes.
TEST_F(IMPORT_SUITE, KilledAtRandomMomentsItLosesAndDoublesNothing) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  MakeOrganisation();
  constexpr char kPassphrase[] = "an invented passphrase";
  constexpr int kKills = 6;
  const auto path = Head(CtdcFile(*shared), kSample, folder_);
  organisation_->SaveForCommandLine("in1", kPassphrase);
  std::mt19937 generator(std::random_device{}());
  int killed = 0;
  for (int i = 0; i < kKills; ++i) {
    // Later from kill to kill: a run that comes to its end leaves the next ones nothing to do.
    std::uniform_real_distribution<> moment(0.3, kLongestRun * (i + 1) / kKills);
    std::ostringstream command;
    command << "GODWIT_HOME='" << organisation_->Home("in1").string() << "' timeout -s KILL "
            << moment(generator) << " " << GODWIT_BINARY << " import cases '" << path.string()
            << "' --mapping " << GODWIT_SOURCE_DIR
            << "/client/import/mappings/ctdc.toml --profile p --no-agent --passphrase-fd 3 3< "
               "<(printf '%s' '"
            << kPassphrase << "') >/dev/null";
    // bash has the descriptor that no file backs; timeout ends with 137 where it had to kill.
    const std::string script = "bash -c \"" + command.str() + "\"";
    const int status = WEXITSTATUS(std::system(script.c_str()));
    EXPECT_TRUE(status == 137 || status == 0) << "the import ended with " << status;
    killed += status == 137;
  }
  std::cout << killed << " of " << kKills << " runs were killed\n";
  EXPECT_GT(killed, 0);
  auto second = organisation_->WithEmptyStores("in2");
  const ImportReport report = RunImport(*second, path);
  EXPECT_EQ(report.imported, kSample);
  EXPECT_EQ(RunImport(organisation_->Of("in2"), path).made_now, 0u);
  ExpectThreeVaultsEach(kSample);
}

TEST_F(IMPORT_SUITE, OnlyIntakeImports) {
  const auto shared = support::SharedFolder();
  if (!shared) return;
  MakeOrganisation();
  const auto path = Head(CtdcFile(*shared), 10, folder_);
  for (const char* other : {"cw01", "kc1", "founder"}) {
    CaseFile file = Open(path);
    const auto refused = ImportRows(organisation_->Of(other), file, false,
                                    [](std::string_view, std::uint64_t, std::uint64_t) {});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::kPermissionDenied);
  }
}

}  // namespace
}  // namespace godwit::client
