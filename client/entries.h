#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/cases.h"
#include "client/organisation.h"
#include "client/outbox.h"
#include "client/vault_file.h"
#include "protocol/kinds.h"

namespace godwit::client {

// The records of a case that people fill in field by field: needs, services, kin and so on, each in
// the vault of its compartment.
struct EntryKind {
  std::string_view name;  // "need", as commands have it
  content::v1::Record::BodyCase body;
  protocol::Kind vault;
  bool single;  // one a case: written anew, it is changed
  // Whether its fields may stand on a command line: codes and dates may, words about a person not.
  bool plain;
  // Of the two kinds that share a body, which; a record of the other is none of this.
  content::v1::TransitionKind transition = content::v1::TRANSITION_KIND_UNSPECIFIED;
};
std::span<const EntryKind> EntryKinds();
// Nothing: no such kind.
const EntryKind* FindEntryKind(std::string_view name);

struct EntryWritten {
  base::RecordId record;
  bool queued = false;
};
// Adds one, or changes the only one of a kind that has one. INVALID_ARGUMENT, NOT_FOUND: no such
// field or value, said before anything is written. PERMISSION_DENIED: a text that coordinators read
// names one of this person's own people; of a referral or transfer, as PrepareTransition.
base::Result<EntryWritten> AddEntry(Organisation& organisation, std::string_view code,
                                    const EntryKind& kind, const std::vector<Change>& changes);
// `id`: the beginning of the record's id, as lists show it. That a transfer was accepted ends the
// case here: a coordinator's.
base::Result<EntryWritten> ChangeEntry(Organisation& organisation, std::string_view code,
                                       const EntryKind& kind, std::string_view id,
                                       const std::vector<Change>& changes);
// Marks one as entered in error: it counts for nothing any more, and its history stays.
base::Result<EntryWritten> StrikeEntry(Organisation& organisation, std::string_view code,
                                       const EntryKind& kind, std::string_view id);

// The file of a case that holds a kind, and its entry with that beginning of an id. NOT_FOUND,
// INVALID_ARGUMENT: none, or several.
base::Result<VaultFile> OpenEntries(Organisation& organisation, std::string_view code,
                                    const EntryKind& kind, From from);
base::Result<const VaultFile::Entry*> FindEntry(const VaultFile& file,
                                                content::v1::Record::BodyCase body,
                                                std::string_view id);
// The entries of a kind, in the order of their ids; `with_errors`: those entered in error, too.
std::vector<const VaultFile::Entry*> EntriesOf(const VaultFile& file, const EntryKind& kind,
                                               bool with_errors = false);
// The beginning of an id by which people name a record.
std::string ShortId(const base::RecordId& record);

// A remark to a colleague, by handle (empty: to whoever reads): in the case, where every
// coordinator reads it, in its sensitive part or with its person. INVALID_ARGUMENT: too long, or
// nobody there has that handle.
base::Result<EntryWritten> AddComment(Organisation& organisation, std::string_view code,
                                      protocol::Kind vault, std::string_view to,
                                      const std::string& text);
// Marks what was written to this member as read. How many there were.
base::Result<std::size_t> ReadComments(Organisation& organisation, std::string_view code);

// Something to do, for a colleague by handle (empty: for oneself). `text` not in a case vault.
struct NewTask {
  content::v1::TaskKind kind = content::v1::TASK_KIND_OTHER;
  std::uint32_t due_day = 0;
  std::string to;
  std::string text;
};
base::Result<EntryWritten> AddTask(Organisation& organisation, std::string_view code,
                                   protocol::Kind vault, const NewTask& task);
base::Result<EntryWritten> FinishTask(Organisation& organisation, std::string_view code,
                                      std::string_view id);

// A field of which two values are kept. Choosing writes the record and settles it; `other`: the
// value that came second.
base::Result<Written> SettleConflict(Organisation& organisation, std::string_view code,
                                     std::string_view id, bool other);

// Whether a text names somebody whom this person reads: a name, a phone or a place of origin.
base::Result<bool> NamesOwnPerson(Organisation& organisation, std::string_view text);

}  // namespace godwit::client
