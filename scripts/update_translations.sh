#!/usr/bin/env bash
# Collects the texts that people see into po/godwit.pot, and merges them into po/*.po.
#
#   scripts/update_translations.sh           write them
#   scripts/update_translations.sh --check   say whether po/godwit.pot is what the sources give
#
# What is collected: the texts of client/cli, the errors of the files below, the codes and fields of
# proto/content. An error of any other file is shown in English, behind a sentence on what happened
# (client/cli/errors.h). The files have no dates, names of people or line numbers, so that they
# differ where a text does.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
export LC_ALL=C

# Whose errors people meet at work.
errors=(client/cli/{act,answers,board,case,device,entry,export,facts,import,invitation_text,join}.cc
  client/cli/{member,member_invite,member_role,own_file,paper,person,print,prompt,search}.cc
  client/cli/{session,status}.cc
  client/casework/{assign,field,life,values}.cc client/import/*.cc
  client/{asking,case_acts,case_code,cases,entries,handover,importer,outbox,persons,profile,roles}.cc
  client/{drafts,partners,search,staff,transitions,trim,withdrawal}.cc client/cli/practice.cc)

# Which argument of which call is a text; what a translation of it may take, in columns.
doing='"TRANSLATORS: what was to be done; it completes: cannot ..."'
heading='"TRANSLATORS: the heading of a column of a table; max-length'
calls=(Literal:1 Translated:1 Translatable:1 Counted:2,3 Line:1 Note:1 "Fail:1,$doing" "Do:2,$doing"
  "RunInviting:2,$doing" Sentence:1 Group:2 Add:3 Act:2 add_subcommand:2 add_option:3 add_flag:3 values:3
  AddList:4 ImportOf:4 "Column:1,$heading:16\"" "Number:1,$heading:16\"" "Shrinking:1,$heading:24\""
  'Label:1,"TRANSLATORS: the name of what stands beside it; max-length:24"' Code:1c,2 Field:1c,2)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -B scripts/content_messages.py . "$work"
printf '%s\n' client/cli/*.{cc,h} client/casework/life.cc client/doctor.cc \
  "$(cd "$work" && find . -type f -printf '%P\n')" | sort >"$work/files"

# collect OUTPUT KEYWORD... -- FILE...
collect() {
  local output=$1 keywords=()
  shift
  while [[ $1 != -- ]]; do keywords+=("--keyword=$1"); shift; done
  shift
  xgettext --directory="$work" --directory=. --language=C++ --from-code=UTF-8 --omit-header \
    --keyword "${keywords[@]}" --add-comments=TRANSLATORS --add-location=file --sort-by-file \
    --output="$output" "$@"
}
mapfile -t files <"$work/files"
collect "$work/texts.po" "${calls[@]}" -- "${files[@]}"
collect "$work/errors.po" Error:2 RefuseRow:1 Refuse:3 Complain:3 complain:2 \
  Literal:1 progress_:1 -- "${errors[@]}"
for part in texts errors; do
  # Else a file is read as ASCII.
  sed -i '1i msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n' "$work/$part.po"
done
msgcat --use-first --add-location=file --sort-by-file "$work/texts.po" "$work/errors.po" \
  >"$work/texts"
python3 -B - "$work/texts" >"$work/godwit.pot" <<'PYTHON'
import re, sys
print('''# Texts of Godwit for people. CONTRIBUTING.md says how to translate them.
msgid ""
msgstr ""
"Project-Id-Version: godwit\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
''')
entries = open(sys.argv[1], encoding="utf-8").read().split("\n\n")[1:]
# A text that another follows, as the blanks before it, says nothing by itself.
said = lambda entry: re.search(r'^(msgid )?".*[A-Za-z{].*"$', re.sub(r"\\n", "", entry), re.M)
entries = [entry for entry in entries if said(entry)]
for i, entry in enumerate(entries):
    # msgfmt then sees to it that a translation has the same places for values.
    entry = re.sub(r"^#, c-format\n", "", entry, flags=re.M)
    if re.search(r"\{[0-9]\}", entry):
        entry = re.sub(r"^(msgctxt|msgid) ", r"#, python-brace-format\n\1 ", entry, 1, re.M)
    print(entry.strip("\n") + ("\n" if i + 1 < len(entries) else ""))
PYTHON

if [[ ${1:-} == --check ]]; then
  diff -u po/godwit.pot "$work/godwit.pot" && exit 0
  echo "po/godwit.pot is not what the sources give: run scripts/update_translations.sh" >&2
  exit 1
fi
cp "$work/godwit.pot" po/godwit.pot
for language in ko th zh_CN; do
  if [[ ! -f po/$language.po ]]; then
    sed -e "1s/.*/# Godwit for readers of $language./" po/godwit.pot |
      sed -e "0,/^\"Content-Type/s//\"Language: $language\\\\n\"\n\"Plural-Forms: nplurals=1; plural=0;\\\\n\"\n&/" \
        >po/$language.po
  fi
  msgmerge --quiet --update --backup=none --no-fuzzy-matching --sort-by-file \
    --add-location=file po/$language.po po/godwit.pot
  msgattrib --no-obsolete --sort-by-file --add-location=file --output-file=po/$language.po \
    po/$language.po
done
