#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "client/organisation.h"
#include "godwit/content/v1/record.pb.h"
#include "protocol/kinds.h"

namespace godwit::client {

// Searching what this member reads of people and cases and what is on this device, what waits to be
// sent included. No service is asked, so none learns a word, nor that somebody searched.
//
// What was read of a vault is kept sealed in its realm's local store with the vault's head, so that
// the next search opens only what changed. The index over it is made anew in memory each time, and
// nothing readable is ever written to the disk.

// A field in which something was found.
struct Hit {
  // The best first.
  enum class How {
    kSameName,     // a name as it was asked for, but for case, gaps and the order of its words
    kSoundsSame,   // the same name in another script or spelling (client/casework/name_keys.h)
    kInName,       // part of a name
    kSoundsAlike,  // part of a name in another script or spelling
    kInText,       // anything else, or a case by its code
  };
  How how = How::kInText;
  protocol::Kind kind = protocol::Kind::kCase;
  base::VaultId vault;
  std::string code;  // of the case; empty: a person who is linked to none
  content::v1::Record::BodyCase record = content::v1::Record::BODY_NOT_SET;
  std::string field;  // its path in the record: "names[0]", "text"
  // The name, or what stands around the place in a longer text, as it was entered; on one line.
  std::string snippet;
};

struct Found {
  std::vector<Hit> hits;
  // Vaults that did not open, and were passed over: `godwit status` and `godwit evidence list` say
  // more.
  std::size_t unopened = 0;
};

// What holds all words of `query`, each as any part of a text, and the names that sound like it.
// INVALID_ARGUMENT: nothing was asked for, or more than 200 bytes.
base::Result<Found> Search(Organisation& organisation, std::string_view query);

}  // namespace godwit::client
