#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "godwit/content/v1/record.pb.h"
#include "protocol/entry.h"
#include "protocol/vault.h"

namespace godwit::client {

// A vault as this device verified and keeps it: its chain's state, and its records opened on
// demand. It must not outlive its Realm.
class VaultView {
 public:
  // Opens what the local store holds. NOT_FOUND: nothing is there yet.
  static base::Result<VaultView> Open(Realm& realm, const base::VaultId& vault);

  // Fetches what is new, verifies it from the entry last seen here, keeps it, and returns the
  // whole. E_ROLLBACK, E_FORK: the service shows another past than before, or a chain with a broken
  // link; the vault is frozen here and both branches are kept. E_ENTRY_INVALID and the like: the
  // vault stays at its last good entry. E_DECRYPT, E_KEY_MISMATCH: a record's bytes or a box are
  // not those that were signed; nothing of the reply is kept. NOT_FOUND: no such vault, or not this
  // member's to see.
  static base::Result<VaultView> Fetch(Realm& realm, const base::VaultId& vault);

  // A view of entries that this device just wrote or holds in memory; nothing is kept.
  static base::Result<VaultView> FromStored(Realm& realm, const StoredVault& stored);

  Realm& realm() const { return *realm_; }
  const base::VaultId& id() const { return state_.id(); }
  const protocol::Vault& state() const { return state_; }
  protocol::Kind kind() const { return state_.kind(); }
  // What this member may do at the roster's head.
  protocol::Perm perm() const;

  // The key of an epoch: from this member's box, or through wraps of later epochs. E_KEY_MISMATCH:
  // a box or wrap is garbage. NOT_FOUND: out of this member's reach.
  base::Result<const protocol::Vek*> KeyOf(std::uint32_t epoch);
  const std::map<std::uint32_t, protocol::Epoch>& epochs() const { return epochs_; }
  // Every entry's header, at its seq.
  const std::vector<protocol::EntryHeader>& headers() const { return headers_; }
  // That of an EPOCH which is there.
  const protocol::EntryHeader& EpochHeader(std::uint32_t epoch) const {
    return headers_[epoch_seqs_.at(epoch)];
  }
  // Whether an epoch lists a box for this member that the service did not serve.
  bool IsBoxWithheld(std::uint32_t epoch) const;

  // Keeps as evidence that an epoch lists a box for `member` which is not of its key.
  void KeepBoxNotOfKey(std::uint32_t epoch, const base::MemberId& member) const;

  // Records that live, in order of their ids.
  std::vector<base::RecordId> LiveRecords() const;
  struct RecordVersion {
    protocol::EntryHeader header;
    protocol::Rev rev;
    base::Link link;
    std::vector<protocol::EntryHeader> assents;  // by others, to this revision while it is newest
  };
  const RecordVersion* Latest(const base::RecordId& record) const;
  // A live record's first revision, and those who assented to it before there was another.
  const RecordVersion* First(const base::RecordId& record) const;
  // What the epoch in force before the entry `seq` lists for a member; 0: nothing.
  protocol::Perm ListedPerm(const base::MemberId& member, std::uint64_t seq) const;
  // Who asked to read, as of the last ASK of each, and who assented to it.
  struct Asked {
    protocol::EntryHeader header;
    protocol::Ask ask;
    base::Link link;
    std::vector<protocol::EntryHeader> assents;
    bool refused = false;  // somebody said no
  };
  const std::map<base::MemberId, Asked>& asked() const { return asked_; }

  // Takes content that was served for an ASK, for as long as this object lives: none of it is kept
  // on the device. E_DECRYPT: it is not what the chain lists; evidence is kept.
  base::Status TakeServed(std::vector<transport::RecordContent> contents);

  // Opens and parses a record. E_DECRYPT: it does not open. NOT_FOUND: no such live record, or its
  // ciphertext was not served to this member.
  base::Result<content::v1::Record> Read(const base::RecordId& record);
  // The same, as the bytes that its author wrote.
  base::Result<crypto::SecretBytes> ReadText(const base::RecordId& record);
  // The same, any number of live records of one schema.
  base::Result<std::vector<std::pair<base::RecordId, content::v1::Record>>> ReadAll(
      content::v1::Record::BodyCase body);

 private:
  explicit VaultView(Realm& realm) : realm_(&realm) {}
  base::Status Replay(const StoredVault& stored);
  // What this view keeps of an entry that state_ took.
  void TakePayload(base::ByteSpan entry);
  // Keeps evidence about what this vault's chain lists.
  void Keep(const base::Error& error, protocol::Claim claim, std::vector<base::Bytes> exhibits,
            std::vector<base::Bytes> not_kept_yet = {}) const;
  // The seq from which on the service is asked.
  std::uint64_t AskFrom() const;
  // A revision's bytes as they were listed.
  struct Sealed {
    base::Bytes salt;
    base::Bytes ciphertext;
  };
  // nullptr: they were not served.
  const Sealed* BytesOf(const protocol::Rev& rev) const;
  // The hash of this member's box of an epoch; nullptr: the epoch has none.
  const base::Sha256Hash* ListedBox(std::uint32_t epoch) const;
  // Which box this member's of an epoch is, as evidence about it says.
  base::Bytes BoxExhibit(std::uint32_t epoch) const;

  Realm* realm_;
  protocol::Vault state_;
  std::vector<protocol::EntryHeader> headers_;
  std::map<std::uint32_t, protocol::Epoch> epochs_;
  std::map<std::uint32_t, std::uint64_t> epoch_seqs_;
  std::map<base::RecordId, RecordVersion> latest_;
  std::map<base::RecordId, RecordVersion> first_;
  std::map<base::MemberId, Asked> asked_;
  std::map<std::uint32_t, base::Bytes> boxes_;
  std::map<std::pair<base::RecordId, std::uint64_t>, Sealed> sealed_;  // by record and rver
  std::map<std::uint32_t, std::unique_ptr<protocol::Vek>> keys_;
  std::map<std::uint32_t, base::Error> closed_;  // why an epoch's key did not open
};

// Parses a record's plaintext. E_DECRYPT: these bytes are no record.
base::Result<content::v1::Record> ParseRecord(base::ByteSpan text);
crypto::SecretBytes SerializeRecord(const content::v1::Record& record);

}  // namespace godwit::client
