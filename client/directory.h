#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/realm.h"

namespace godwit::client {

// A colleague as the realm's directory names them.
struct Colleague {
  base::MemberId member;
  std::string handle;
  std::string display_name;
};

// The names of a realm's members, from the local store, or from the service where it was never
// synced; empty where neither has them. Entries are believed from an owner or admin alone; one of a
// member whom the roster does not have is left out.
class Directory {
 public:
  static base::Result<Directory> Read(Realm& realm);

  const std::vector<Colleague>& colleagues() const { return colleagues_; }
  const Colleague* ByMember(const base::MemberId& member) const;
  // Of several, since somebody left and came back, the one who is a member now.
  const Colleague* ByHandle(std::string_view handle) const;
  // The display name, or the start of the member's id if nobody named it.
  std::string NameOf(const base::MemberId& member) const;

 private:
  std::vector<Colleague> colleagues_;
};

// Brings the directory (and config, and in cases staff) vault of a realm up to the roster: lists
// every member with a usable key in one EPOCH, as the kinds table allows, and writes the names of
// `newcomers`. For an owner or admin.
base::Status ListEverybody(Realm& realm, const std::vector<Colleague>& newcomers);

}  // namespace godwit::client
