#pragma once

#include "client/cli/session.h"
#include "client/doctor.h"

namespace godwit::cli {

// A sentence in English, as programs read it, and in the reader's language, inert.
std::string SentenceText(const client::Sentence& sentence);
std::string SentenceLabel(const client::Sentence& sentence);

// `godwit org doctor`: exit 0 where nothing is broken, else 1.
ExitCode OrgDoctor(const Context& context);

}  // namespace godwit::cli
