#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "crypto/sign.h"
#include "protocol/cold_read.h"
#include "protocol/epoch_keys.h"
#include "protocol/record.h"
#include "protocol/roster.h"
#include "protocol/vault.h"

namespace godwit::support {

// Ends the test program unless `result` is a value: for what a builder makes of its own parts.
void Require(const base::Status& status);
template <class T>
T Must(base::Result<T> result) {
  if (!result) Require(result.error());
  return *std::move(result);
}

// Somebody in a realm of a test, with all that the own devices hold.
struct Person {
  base::MemberId id;
  std::vector<protocol::DeviceSeed> seeds;
  std::vector<protocol::Device> devices;
  std::vector<protocol::Puk> puks;  // of gen 1, 2, ...

  const protocol::Device& device() const { return devices[0]; }
};

// A statement or entry whose payload is any bytes, of the header's own type.
base::Bytes SignRaw(const protocol::StatementHeader& header, base::ByteSpan payload,
                    const crypto::SigningKey& key);
base::Bytes SignRaw(const protocol::EntryHeader& header, base::ByteSpan payload,
                    const crypto::SigningKey& key);

// Who stands in a GENESIS.
struct Founder {
  protocol::Roles roles = protocol::kOwner;
  std::size_t devices = 1;
};

// A realm of an evaluation organisation: its roster, grown by statements that are signed here, and
// all keys. Keys and ids follow from `name`, so that two runs, but not two names, make the same.
class TestRealm {
 public:
  // GENESIS with the founders, then a PUK_ROTATE of each.
  explicit TestRealm(protocol::Compartment compartment,
                     const std::vector<Founder>& founders = OneOwner(),
                     std::string_view name = "test");
  // The same with a policy of the test's own; stops after GENESIS.
  TestRealm(protocol::Compartment compartment, const std::vector<Founder>& founders,
            const protocol::Policy& policy, std::string_view name = "test");
  TestRealm(const TestRealm&) = delete;
  TestRealm& operator=(const TestRealm&) = delete;

  static std::vector<Founder> OneOwner() { return std::vector<Founder>(1); }
  static protocol::Policy EvaluationPolicy();
  // The same with both thresholds 2, to be given to the second constructor.
  static protocol::Policy ThresholdsOfTwo();

  const protocol::Roster& roster() const { return roster_; }
  const std::vector<base::Bytes>& statements() const { return statements_; }
  const crypto::SigningKey& root() const { return *root_; }
  // In the order in which they came: founders first. References stay good.
  Person& person(std::size_t index) { return people_[index]; }
  const Person& person(std::size_t index) const { return people_[index]; }

  // Somebody with keys whom no statement lists yet.
  Person& Stranger(std::size_t devices = 1);
  // MEMBER_ADD by the first founder, or by root for an owner or admin too, then PUK_ROTATE.
  Person& Add(protocol::Roles roles);
  // The same without a PUK.
  Person& AddWithoutPuk(protocol::Roles roles);
  void RotatePuk(Person& person, std::size_t device = 0);
  // By that member's own device `by`.
  void Revoke(const Person& person, std::size_t device, std::size_t by);
  // By root.
  void RevokeByRoot(const Person& person, std::size_t device);
  void Remove(const Person& person);
  void SetPolicy(const protocol::Policy& policy);

  // Payloads as they should be, to be changed and signed.
  protocol::MemberAdd AddOf(const Person& person, protocol::Roles roles);
  // Of a device that no statement lists yet, with the box of the current PUK beside it.
  struct DeviceAddition {
    protocol::DeviceAdd payload;
    base::Bytes box;
  };
  DeviceAddition DeviceAddOf(const Person& person, const protocol::Device& device);
  // A secret of n = trustees.size() shares whose trustees acknowledged them by their first device.
  protocol::RecoverySet RecoverySetOf(std::uint8_t use, std::uint8_t k,
                                      const std::vector<const Person*>& trustees);
  // Of the current secret, signed by the recipient.
  protocol::RecoveryRequest RequestOf(std::uint8_t use, const Person& recipient,
                                      const std::set<base::VaultId>& vaults);
  protocol::RootRotate RootRotateTo(const crypto::SigningKey& key) const;

  // Make the proofs and signatures inside a payload anew after a change.
  void Prove(protocol::MemberAdd& add, const protocol::Device& device) const;
  void Prove(protocol::DeviceAdd& add, const protocol::Device& device) const;
  void Acknowledge(protocol::RecoverySet& set, const std::vector<const Person*>& trustees) const;
  void SignFor(protocol::RecoveryRequest& request, const Person& recipient) const;
  // The next PUK of `person`, which is not among its puks until the statement is taken.
  struct Rotation {
    protocol::Puk puk;
    protocol::PukRotate payload;
    std::map<base::DeviceId, base::Bytes> boxes;
  };
  Rotation RotationOf(const Person& person);

  // The header of the next statement of an author.
  protocol::StatementHeader Next(const Person& author, std::size_t device = 0) const;
  protocol::StatementHeader NextByRoot() const;
  base::Bytes Sign(const Person& author, const protocol::StatementPayload& payload,
                   std::size_t device = 0) const;
  base::Bytes SignByRoot(const protocol::StatementPayload& payload) const;
  // Appends what must be valid; gives its link.
  base::Link Append(const base::Bytes& statement);
  // Signs and appends what must be valid; gives its link.
  base::Link Do(const Person& author, const protocol::StatementPayload& payload) {
    return Append(Sign(author, payload));
  }
  base::Link DoByRoot(const protocol::StatementPayload& payload) {
    return Append(SignByRoot(payload));
  }
  // The APPROVE of what waits.
  void Approve(const Person& approver, const base::Link& target) {
    Do(approver, protocol::Approve{target, protocol::kNoShare, {}});
  }
  // The key that SignByRoot signs with after a ROOT_ROTATE to it.
  void SetRoot(crypto::SigningKey root) { root_ = std::move(root); }
  // Appends a statement and the APPROVEs that it needs.
  void AppendApproved(const Person& author, const protocol::StatementPayload& payload,
                      const std::vector<const Person*>& approvers);

  // The boxes that went beside a PUK_ROTATE.
  const std::map<base::DeviceId, base::Bytes>& PukBoxes(const base::MemberId& member,
                                                        std::uint32_t gen) const;

  // The next of a sequence of 32-byte strings that follows from the realm's name.
  base::Bytes Fresh();

 private:
  void Begin(protocol::Compartment compartment, const std::vector<Founder>& founders,
             const protocol::Policy& policy);

  std::string name_;
  std::uint64_t drawn_ = 0;
  std::optional<crypto::SigningKey> root_;
  std::deque<Person> people_;
  protocol::Roster roster_;
  std::vector<base::Bytes> statements_;
  std::map<std::pair<base::MemberId, std::uint32_t>, std::map<base::DeviceId, base::Bytes>>
      puk_boxes_;
};

// A vault of such a realm: its chain, grown by entries that are signed here, its keys, and what
// goes beside the entries.
class TestVault {
 public:
  using Members = std::vector<std::pair<const Person*, protocol::Perm>>;

  // CREATE alone.
  TestVault(TestRealm& realm, protocol::Kind kind, const Person& creator);
  // CREATE and epoch 1 by `creator`.
  TestVault(TestRealm& realm, protocol::Kind kind, const Person& creator, const Members& members);
  TestVault(const TestVault&) = delete;
  TestVault& operator=(const TestVault&) = delete;

  const protocol::Vault& vault() const { return vault_; }
  const std::vector<base::Bytes>& entries() const { return entries_; }
  const protocol::Vek& vek(std::uint32_t epoch) const { return veks_[epoch - 1]; }
  const protocol::Epoch& epoch(std::uint32_t number) const { return epochs_[number - 1].payload; }
  const base::Bytes& box(std::uint32_t epoch, const base::MemberId& member) const {
    return epochs_[epoch - 1].boxes.at(member);
  }

  // The rows of a list as the roster's head has them.
  protocol::MemberList ListOf(const Members& members) const;
  // The next EPOCH for `list` and `guests`, with its VEK, not taken yet; wraps the key before it.
  struct Rekeying {
    protocol::Vek vek;
    protocol::NewEpoch epoch;
  };
  Rekeying RekeyingOf(const protocol::MemberList& list, const protocol::GuestList& guests = {});
  void Rekey(const Person& author, const protocol::MemberList& list,
             const protocol::GuestList& guests = {});
  // Appends an EPOCH that was made of `rekeying`.
  void Take(const base::Bytes& entry, Rekeying rekeying);
  // Rekeys for the list in force as the roster's head would have it: rule (a).
  void Refresh(const Person& author);

  // The next revision of a record, sealed and not written yet.
  protocol::SealedRecord Revision(const Person& author, const base::RecordId& record,
                                  std::string_view text, std::uint8_t flags = 0);
  // Writes it.
  void Write(const Person& author, const base::RecordId& record, std::string_view text,
             std::uint8_t flags = 0);
  void WritePinned(const Person& author, std::string_view text) {
    Write(author, vault_.pinned_record(), text);
  }
  // The TOMB of a live record.
  protocol::Tomb TombOf(const base::RecordId& record) const;
  void WriteTomb(const Person& author, const base::RecordId& record);
  base::RecordId NewRecord();

  protocol::EntryHeader Next(const Person& author, std::size_t device = 0) const;
  base::Bytes Sign(const Person& author, const protocol::EntryPayload& payload) const;
  // Appends what must be valid.
  void Append(const base::Bytes& entry);

  // What went beside the REV with that link.
  const protocol::SealedRecord& Beside(const base::Link& rev) const { return beside_.at(rev); }
  // For cold reading, as an honest server makes it.
  protocol::ColdRow Row() const;

 private:
  TestRealm& realm_;
  protocol::Vault vault_;
  std::vector<base::Bytes> entries_;
  std::vector<protocol::Vek> veks_;
  std::vector<protocol::NewEpoch> epochs_;
  std::map<base::Link, protocol::SealedRecord> beside_;
};

}  // namespace godwit::support
