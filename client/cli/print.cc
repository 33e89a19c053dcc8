#include "client/cli/print.h"

#include "client/cli/case_card.h"
#include "client/cli/consent_form.h"
#include "client/cli/own_file.h"
#include "client/cli/paper.h"
#include "client/cli/referral_letter.h"
#include "client/cli/render.h"
#include "client/cli/withdrawal_letter.h"
#include "client/consents.h"
#include "client/directory.h"
#include "client/print/pdf.h"
#include "client/transitions.h"
#include "client/withdrawal.h"

namespace godwit::cli {
namespace {

using base::Code;
using base::Error;
using protocol::Compartment;
using protocol::Kind;

// Writes the file and says so.
ExitCode Save(const Context& context, std::string_view what, const print::Document& document,
              const PrintOptions& options, bool secret) {
  Output& output = context.output;
  const auto pdf = print::MakePdf(document);
  if (!pdf) return output.Fail("print this", pdf.error());
  if (const auto saved = SaveOwnFile(context, options.out, pdf->bytes); !saved) {
    return output.Fail("print this", saved.error());
  }
  output.Emit({{"event", "printed"}, {"what", what}, {"file", options.out}, {"pages", pdf->pages}});
  output.Line(Counted(pdf->pages, "Written: {0} page.", "Written: {0} pages."), Style::kGood);
  if (secret) {
    output.Note(
        "Warning: the file is not encrypted, and whoever gets hold of it reads it. Delete it once "
        "it is on paper.");
  }
  return ExitCode::kOk;
}

// Writes what `open` reads of a case as a letter that `make` makes, from whoever sits here.
template <class Open, class Make>
ExitCode PrintLetter(const Context& context, std::string_view what, const PrintOptions& options,
                     Open&& open, Make&& make) {
  const auto fail = [&](const Error& why) { return context.output.Fail("print the letter", why); };
  auto session =
      Session::Open(context, {Compartment::kIdentity, Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  client::Organisation& organisation = session->organisation();
  const auto told = open(organisation);
  if (!told) return fail(told.error());
  client::Realm& cases = **organisation.Get(Compartment::kCases);
  const auto directory = client::Directory::Read(cases);
  if (!directory) return fail(directory.error());
  const auto letter = PaperIn(
      options.language, [&] { return make(*told, directory->NameOf(cases.member()), Today()); });
  if (!letter) return fail(letter.error());
  return Save(context, what, *letter, options, true);
}

}  // namespace

ExitCode PrintConsentForm(const Context& context, const PrintOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("print the form", why); };
  if (options.code.empty()) {
    const auto form = ConsentForm(options.language, nullptr);
    if (!form) return fail(form.error());
    return Save(context, "consent_form", *form, options, false);
  }
  auto session =
      Session::Open(context, {Compartment::kIdentity, Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  const auto person = client::ShowPerson(session->organisation(), options.code, options.offline);
  if (!person) return fail(person.error());
  const auto* entry = client::CurrentConsent(person->file);
  if (entry == nullptr) {
    return fail(Error(Code::kNotFound,
                      "no consent of this person is recorded: print the blank form, without CODE, "
                      "and record the answers with `godwit consent`"));
  }
  const auto directory =
      client::Directory::Read(**session->organisation().Get(Compartment::kIdentity));
  if (!directory) return fail(directory.error());
  const FilledConsent filled{person->case_code, directory->NameOf(entry->author),
                             entry->content.consent()};
  const auto form = ConsentForm(options.language, &filled);
  if (!form) return fail(form.error());
  return Save(context, "consent_form", *form, options, true);
}

ExitCode PrintCaseCard(const Context& context, const PrintOptions& options) {
  const auto fail = [&](const Error& why) { return context.output.Fail("print the card", why); };
  auto session = Session::Open(context, {Compartment::kCases}, UseOf(options.offline));
  if (!session) return fail(session.error());
  const auto cases = session->organisation().Get(Compartment::kCases);
  if (!cases) return fail(cases.error());
  const auto file =
      client::OpenCaseFile(**cases, Kind::kCase, options.code, client::FromOf(options.offline));
  if (!file) return fail(file.error());
  if (file->Pinned() == nullptr) return fail(Error(Code::kDecrypt, "a case has no summary"));
  if (file->offline()) context.output.Note("Offline: as of the last sync.");
  const auto card = PaperIn(options.language, [&] { return CaseCard(*file, Today()); });
  if (!card) return fail(card.error());
  return Save(context, "case_card", *card, options, true);
}

ExitCode PrintReferral(const Context& context, const PrintOptions& options) {
  return PrintLetter(
      context, "referral", options,
      [&](client::Organisation& organisation) {
        return client::OpenShared(organisation, options.code, options.id,
                                  client::FromOf(options.offline));
      },
      ReferralLetter);
}

ExitCode PrintWithdrawal(const Context& context, const PrintOptions& options) {
  return PrintLetter(
      context, "withdrawal", options,
      [&](client::Organisation& organisation) {
        auto withdrawal =
            client::OpenWithdrawal(organisation, options.code, client::FromOf(options.offline));
        if (withdrawal && withdrawal->offline) {
          context.output.Note("Offline: as of the last sync.");
        }
        return withdrawal;
      },
      WithdrawalLetter);
}

}  // namespace godwit::cli
