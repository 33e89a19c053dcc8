#pragma once

#include <string>
#include <vector>

#include "godwit/content/v1/record.pb.h"

namespace godwit::client {

// Two changes of one record by people who did not know of each other's, joined field by field.
struct Merged {
  content::v1::Record record;
  // Fields that both changed, to different values: `record` has theirs. Paths as FieldPath has
  // them: "amount", "consent.services". No list is among them: of a list, what either added is
  // there, and what either took away is not.
  std::vector<std::string> both;
};

// `base`: what both began with; nothing of it is needed beyond that. Fields unknown to this program
// are theirs, if they changed them, or else mine. A body of another kind than `base`'s is taken
// whole: theirs.
Merged Merge(const content::v1::Record& base, const content::v1::Record& mine,
             const content::v1::Record& theirs);

// `record` with nothing but the value of `field` in its body.
content::v1::Record OnlyField(const content::v1::Record& record, const std::string& field);
// Puts the value that `from` has in `field` into `record`.
void TakeField(const std::string& field, const content::v1::Record& from,
               content::v1::Record& record);

}  // namespace godwit::client
