// The files of a revision against those that it comes from.

import { Section } from "./section";
import { Empty, Failed, Loading } from "./states";
import { useFetched } from "../state/fetched";
import { diff, type Line } from "../words/diff";

interface Files {
  revision: string;
  files: Record<string, string>;
}

/** A revision with mitigations has them behind its name; its files are those of the name alone. */
const filesOf = (revision: string | undefined): string | null =>
  revision ? `/fleet/revisions/${encodeURIComponent(revision.split("+")[0]!)}` : null;

export function RevisionDiff({ before, after }: { before: string[]; after: string }) {
  const [from] = before;
  const old = useFetched<Files>(filesOf(from));
  const fresh = useFetched<Files>(filesOf(after));
  const problem = old.problem ?? fresh.problem;
  return (
    <Section title="What it changes in the files" aside={<>{from?.slice(0, 12) ?? "nothing"} to {after.slice(0, 12)}{before.length > 1 && `, of ${before.length} revisions that PoPs had`}</>}>
      {problem ? <Failed problem={problem} what="the files of the fleet" />
        : old.value && fresh.value ? <Changes before={old.value.files} after={fresh.value.files} /> : <Loading what="both revisions" />}
    </Section>
  );
}

function Changes({ before, after }: { before: Record<string, string>; after: Record<string, string> }) {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  const changed = names
    .map((name) => ({ name, lines: diff(before[name] ?? "", after[name] ?? "") }))
    .filter(({ lines }) => lines.length > 0);
  if (changed.length === 0) return <Empty>No file differs: it changes what stands beside the files, such as a mitigation.</Empty>;
  return <>{changed.map(({ name, lines }) => <File key={name} name={name} lines={lines} />)}</>;
}

function File({ name, lines }: { name: string; lines: Line[] }) {
  return (
    <figure class="diff">
      <figcaption><code>{name}</code></figcaption>
      <pre tabIndex={0} aria-label={`Changes of ${name}`}>{lines.map((line, place) => (
        <span key={place} class={line.sign === "+" ? "added" : line.sign === "-" ? "removed" : ""}>{line.sign} {line.text}{"\n"}</span>
      ))}</pre>
    </figure>
  );
}
