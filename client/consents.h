#pragma once

#include "client/vault_file.h"

namespace godwit::client {

// What a person vault says that its person agrees to now: the consent given last, or the one that
// was withdrawn since; nothing: none was ever recorded. What it was before is superseded, and
// stays.
const VaultFile::Entry* CurrentConsent(const VaultFile& person);

}  // namespace godwit::client
