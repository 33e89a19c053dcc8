#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"
#include "client/vault_writer.h"

namespace godwit::client {

// A colleague as the realm's directory names them.
struct Colleague {
  base::MemberId member;
  std::string handle;
  std::string display_name;
};

// A name in the directory vault, which counts once a second owner or admin has assented to it.
struct ProposedName {
  base::RecordId record;
  base::Link link;  // of the revision that says so
  base::MemberId author;
  Colleague colleague;
};

// The names of a realm's members, from the local store, or from the service where it was never
// synced; empty where neither has them. An entry is believed from an owner or admin with the ASSENT
// of another; without one where the grant threshold was 1 when it was written. One of a member whom
// the roster does not have is left out.
class Directory {
 public:
  static base::Result<Directory> Read(Realm& realm);

  const std::vector<Colleague>& colleagues() const { return colleagues_; }
  // What an owner or admin wrote, and no other has assented to yet.
  const std::vector<ProposedName>& proposed() const { return proposed_; }
  const Colleague* ByMember(const base::MemberId& member) const;
  // Of several, since somebody left and came back, the one who is a member now.
  const Colleague* ByHandle(std::string_view handle) const;
  // The display name, or the start of the member's id if nobody named it.
  std::string NameOf(const base::MemberId& member) const;

 private:
  std::vector<Colleague> colleagues_;
  std::vector<ProposedName> proposed_;
};

// What writes a colleague's name into the directory vault, as a new record.
Edit ColleagueEdit(const Colleague& colleague);

// Assents to a name. PERMISSION_DENIED: this member may not. An ASSENT to what is not the record's
// newest revision any more is not written.
base::Status AssentToName(Realm& realm, const ProposedName& name);

// Brings the directory (and config, and in cases staff) vault of a realm up to the roster: lists
// every member with a usable key in one EPOCH, as the kinds table allows, and writes the names of
// `newcomers`. For an owner or admin.
base::Status ListEverybody(Realm& realm, const std::vector<Colleague>& newcomers);

}  // namespace godwit::client
