#pragma once

// Which tests hold which row of the table of published attacks, by the names of their files: those
// of this folder, where a server or somebody beside it can play the attack, and those of the layers
// that hold it. `ctest -R Row25` runs a row's; House.AttackRows asks for one of each.
//
//    1  attack_vault; crypto/attack, protocol/epoch_keys
//    2  -: labels are told apart where keys are made; crypto/attack, protocol/labels
//    3  attack_vault; protocol/record
//    4  attack_vault; crypto/attack
//    5  attack_rules; protocol/epoch_keys
//    6  attack_roster, attack_vault
//    7  attack_vault; protocol/epoch_keys
//    8  attack_vault; protocol/epoch_keys
//   10  attack_vault; protocol/keystore
//   12  attack_vault; protocol/record
//   13  attack_rules
//   15  attack_roster; protocol/epoch_keys
//   17  attack_vault; protocol/vault
//   19  attack_roster
//   20  attack_roster, attack_vault; protocol/roster
//   21  attack_rules; crypto/attack, protocol/labels
//   22  attack_vault; protocol/epoch_keys
//   23  attack_roster; protocol/labels
//   24  attack_roster, attack_vault; protocol/vault
//   25  attack_rules; crypto/attack
//   26  attack_rules; vectors/key_commitment
//   27  attack_vault
//   28  attack_rules; protocol/vault, services/commit, services/race_nightly
//   29  attack_roster, attack_vault; protocol/roster
//   30  attack_join
//   42  attack_rules; crypto/sign, vectors/cctv, vectors/wycheproof
//   43  -: an API that is not there, a static_assert; crypto/sign
//   44  attack_rules; crypto/kem, vectors/wycheproof
//   47  attack_vault; protocol/vault
//   49  attack_vault; crypto/attack, crypto/init
//   50  attack_join
//   51  attack_realm; protocol/pending
//   52  attack_rules; protocol/vault
//   53  attack_vault; protocol/vault
//   54  attack_rules; protocol/condition
//   55  attack_rules; protocol/condition
//   56  import; protocol/record
//   58  attack_board; protocol/cold_read
//   60  attack_realm; protocol/pending
//   61  attack_roster; crypto/kem, protocol/pending, protocol/roster
//   62  attack_roster; protocol/pending, protocol/roster
//   63  attack_realm; protocol/pending, protocol/roster
//   64  attack_realm; protocol/pending

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/code.h"
#include "base/id.h"
#include "client/realm.h"
#include "client/vault_view.h"
#include "client/vault_writer.h"
#include "protocol/entry.h"
#include "protocol/evidence.h"
#include "protocol/statement.h"
#include "tests/support/builders.h"
#include "tests/support/keys.h"
#include "tests/support/lying_server.h"
#include "tests/support/test_organisation.h"

namespace godwit::client {

namespace wire = godwit::realm::v1;
using base::Bytes;
using base::Code;
using support::Must;
using support::Require;

// What a device came to: nothing where all is well, else the code of the first error.
using Outcome = std::optional<Code>;
inline constexpr Outcome kWell = std::nullopt;
// So that a failed comparison prints the code's name.
std::string Print(const Outcome& outcome);
#define EXPECT_OUTCOME(actual, wanted) EXPECT_EQ(Print(actual), Print(wanted))

Outcome OutcomeOf(const base::Status& status);

inline std::string Text(base::ByteSpan bytes) { return base::ToString(bytes); }
inline Bytes BytesOf(const std::string& text) { return base::ToBytes(base::AsBytes(text)); }

// A vault's state, entries and contents as a member who reads all has them now.
class Truth {
 public:
  Truth(Realm& author, const base::VaultId& vault) : author_(author) {
    Require(author.Sync());
    view_.emplace(Must(VaultView::Fetch(author, vault)));
    stored_ = *Must(author.store().Load(vault));
  }

  Realm& author() const { return author_; }
  const protocol::Vault& state() const { return view_->state(); }
  const std::vector<Bytes>& entries() const { return stored_.entries; }
  const std::vector<RecordBlob>& records() const { return stored_.records; }
  const protocol::Vek& key() { return *Must(view_->KeyOf(state().epoch().number)); }
  // The newest EPOCH's list.
  const protocol::MemberList& list() const { return state().epoch().list; }

 private:
  Realm& author_;
  std::optional<VaultView> view_;
  StoredVault stored_;
};

// The attacks of a server that lies, by the rows of the table of published attacks, against the
// cases realm of a small organisation: every device speaks to a LyingServer, which is honest until
// a test tells it a lie, and at the end of each test. Handles: founder (owner and admin), cw01 and
// cw02 (caseworkers), sv1 (supervisor), kc1 and kc2 (coordinators).
class Attack : public testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void TearDown() override;

  static support::LyingServer& liar();
  static support::TestOrganisation& organisation();
  // A colleague whose own device is honest and up to date.
  static Realm& Of(const std::string& handle);

  // kFresh has an empty store; kKnown has read the vault, or the roster, before the lie.
  enum class Memory { kFresh, kKnown };
  static constexpr Memory kBoth[] = {Memory::kFresh, Memory::kKnown};
  static std::string NameOf(Memory memory);
  // A device of `handle` that has seen nothing yet.
  static std::unique_ptr<Realm> FreshDevice(const std::string& handle);

  // A case vault by cw01, with sv1 (may write) and kc1 (full): a summary, and two notes, of which
  // the first has two revisions.
  static base::VaultId MakeCase();
  static std::vector<Edit> Notes(const std::vector<std::string>& texts);

  // What people do: bring the vault up to date and read every record; write a note there.
  static Outcome ReadAll(Realm& device, const base::VaultId& vault);
  static Outcome WriteNote(Realm& device, const base::VaultId& vault);

  // A lie in the table of a test. It is made when it is told, so that it can follow what is newest;
  // `from` is the seq that the device asks for.
  template <class Reply>
  struct Lie {
    using Rewrite = std::function<void(std::uint64_t from, Reply& reply)>;
    std::string name;
    std::function<Rewrite()> make;
    Outcome fresh;  // what becomes of a fresh device
    Outcome known;
  };
  using VaultLie = Lie<wire::FetchVaultResponse>;
  using RosterLie = Lie<wire::FetchRosterResponse>;

  // Tells each lie about `vault` to a device of kc1 that knows nothing, and to one that read the
  // vault before two more notes were written. Each comes to the code given, and where it is an
  // error that stops it: nothing is sealed or sent, evidence is kept that its judge takes, and the
  // vault is frozen on a known device after E_FORK and E_ROLLBACK alone. All is well again once the
  // server is honest, but for what is frozen.
  static void ExpectVaultLies(const base::VaultId& vault, const std::vector<VaultLie>& lies);
  // The same for the roster, which knows no freezing: a known device saw it before two statements.
  static void ExpectRosterLies(const std::vector<RosterLie>& lies);

  // What the device would export, as files, and what their judge says; each accuses somebody.
  static std::vector<Bytes> EvidenceFiles(Realm& device);
  static std::vector<protocol::Judgement> Judged(Realm& device);

  // Everything that a device sends which others act on. None of it leaves a device that was lied
  // to.
  static std::size_t Uploads();

  // Shows `entry` as the newest of `vault` to a device of kc1 that knows nothing and to `known`,
  // which is kc1's and has read the vault: both refuse it, and all is well again afterwards.
  static void ExpectRefused(const base::VaultId& vault, Realm& known, const Bytes& entry,
                            Code want);

  // The next entry of a vault by `author`, who may or may not write there, signed by the author's
  // device after `change`.
  using HeaderChange = std::function<void(protocol::EntryHeader&)>;
  static Bytes NextEntry(Realm& author, const protocol::Vault& vault,
                         const protocol::EntryPayload& payload, const HeaderChange& change = {});
  // A revision of a record sealed under `vek` by `author`, and what goes beside it.
  static protocol::SealedRecord Seal(Realm& author, const protocol::Vault& vault,
                                     const base::RecordId& record, const protocol::Vek& vek);
  // The next statement of the roster, in the same way.
  using StatementChange = std::function<void(protocol::StatementHeader&)>;
  static Bytes NextStatement(Realm& author, const protocol::StatementPayload& payload,
                             const StatementChange& change = {});

 private:
  struct World;
  static World* world_;
};

}  // namespace godwit::client
