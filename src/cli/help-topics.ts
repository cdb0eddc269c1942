/** Help on what is not a command, by its name. */
export const helpTopics: Readonly<Record<string, string>> = {
  "exit-codes": `Exit codes

    0  done
    1  a mistake in exhibit itself; the lines on stderr help its makers
    2  something on the command line or in the configuration is missing or wrong
    3  of several things, some failed
    4  not signed in, or the sign-in was refused
    5  not found: an exhibit, a file, a share, a store
    6  bytes, a signature or a custody log are not what they should be; never ignore this one
    7  the store cannot be reached or is full; a later try may work
    8  in the way: something else is there already, or another process is at work
    9  refused by a rule: role, quota, type, unprotected address
  130  stopped by Ctrl-C; an upload goes on with the same command, or exhibit resume
  143  stopped by SIGTERM; likewise

With --json a failure is one line on stderr: {"type":"error","code":…,"message":…,"hint":…}. Its code is stable.
`,

  environment: `Environment

  EXHIBIT_STORE          store to use, as --store
  EXHIBIT_KEY_FILE       file that keeps this machine's keys, as --key-file
  EXHIBIT_CA_FILE        certificates to trust, too, in PEM, as --ca-file
  EXHIBIT_INITIALS       producer's initials, as upload --initials
  EXHIBIT_CONCURRENCY    most parts in flight at once, as upload --concurrency
  EXHIBIT_PART_SIZE      longest part, as upload --part-size
  EXHIBIT_REQUIRE_PROOF  weakest proof to accept, as upload --require-proof
  EXHIBIT_BWLIMIT        speed limit, as --bwlimit
  EXHIBIT_GIVE_UP_AFTER  how long to wait for a store that is gone, as --give-up-after
  EXHIBIT_FETCH_HOSTS    hosts that links may lead to, as fetch --allow-host, with commas between
  EXHIBIT_BOX_CLIENT_ID  application that signs in at Box, as login --client-id
  EXHIBIT_BOX_CLIENT_SECRET
                         its secret, for login; kept with the login from then on
  EXHIBIT_SMTP_PASSWORD  password of the mail server's user, for serve --smtp-url
  EXHIBIT_CONFIG_DIR     folder of config.json
  EXHIBIT_STATE_DIR      folder of the journal, the receipts and the server's data

  HTTPS_PROXY, NO_PROXY  proxy for every connection to a server, and the hosts that are reached without it
  NO_COLOR, TERM=dumb    no colour
  CI                     plain lines instead of bars, and no prompts

A flag counts before a variable, a variable before the configuration file.
`,

  configuration: `Configuration

config.json lies in $XDG_CONFIG_HOME/exhibit or ~/.config/exhibit (Linux), ~/Library/Application Support/exhibit/config
(macOS), %LOCALAPPDATA%\\exhibit\\config (Windows), or in EXHIBIT_CONFIG_DIR. exhibit store and exhibit login write it.

  stores         names and URLs: {"met": "https://evidence.example.police.uk"}
  defaultStore   store that commands use without --store
  initials       producer's initials for references that the store allots
  caFile         certificates to trust, too, in PEM
  concurrency    most parts in flight at once (4)
  partSize       longest part ("8M")
  requireProof   weakest proof of arrival to accept ("transport")
  bwlimit        speed limit of all transfers together ("off"), also by the time of the week
  giveUpAfter    how long to wait for a store that is gone in mid-transfer (for ever)
  fetchHosts     hosts that exhibit fetch may fetch from: ["media.council.gov.uk", "*.council.gov.uk"]
  boxClientId    client id of the application that signs in at Box
  trustedKeys    keys of other machines whose signatures count here: exhibit key trust
  storage        "file" after exhibit login --insecure-storage: keys are in keys.json of the state folder

Anything else in it is an error, so that a misspelt setting is never quietly ignored. Secrets are never in it: they
are in the keychain, or in a key file of your choice (--key-file, EXHIBIT_KEY_FILE).
`,
};
