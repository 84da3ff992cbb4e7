// The paths of a prefix at a moment, drawn in layers. Whoever originates it and should not has a double outline; whoever
// took it from there first is marked in words too.

import type { Edge, Graph, Node } from "../words/paths";

const WIDE = 132;
const HIGH = 46;
const BOX: [number, number] = [92, 26];

const SAID: Record<Node["role"], string> = { origin: "origin", foreign: "not ours", believer: "believes it", carrier: "" };

export function ASGraph({ graph, label }: { graph: Graph; label: string }) {
  const x = (node: Node): number => (graph.layers - 1 - node.layer) * WIDE + WIDE / 2;
  const y = (node: Node): number => (node.row + 0.5) * HIGH + ((graph.rows - graph.nodes.filter((each) => each.layer === node.layer).length) * HIGH) / 2;
  const of = new Map(graph.nodes.map((node) => [node.asn, node]));
  const width = graph.layers * WIDE;
  const height = graph.rows * HIGH + 8;
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <svg class="as-graph" viewBox={`0 0 ${width} ${height}`} width={width} height={height} role="img" aria-label={label}>
        {graph.edges.map((edge) => <Line key={`${edge.from} ${edge.to}`} edge={edge} of={of} x={x} y={y} />)}
        {graph.nodes.map((node) => (
          <g key={node.asn} class={`as ${node.role}`} transform={`translate(${x(node)} ${y(node)})`}>
            {node.role === "foreign" && <rect x={-BOX[0] / 2 - 3} y={-BOX[1] / 2 - 3} width={BOX[0] + 6} height={BOX[1] + 6} rx="5" class="outer" />}
            <rect x={-BOX[0] / 2} y={-BOX[1] / 2} width={BOX[0]} height={BOX[1]} rx="3" />
            <text y={SAID[node.role] ? 0 : 4}>AS{node.asn}</text>
            {SAID[node.role] && <text y="10" class="role">{SAID[node.role]}</text>}
          </g>
        ))}
      </svg>
    </div>
  );
}

function Line({ edge, of, x, y }: { edge: Edge; of: Map<number, Node>; x: (node: Node) => number; y: (node: Node) => number }) {
  const [from, to] = [of.get(edge.from), of.get(edge.to)];
  if (from === undefined || to === undefined) return null;
  const [x1, x2] = [x(from) + BOX[0] / 2, x(to) - BOX[0] / 2];
  const bend = Math.max(16, (x2 - x1) / 2);
  return <path class={`hop ${edge.foreign ? "foreign" : ""}`} stroke-width={1 + Math.min(4, Math.log2(edge.paths))}
    d={`M${x1} ${y(from)}C${x1 + bend} ${y(from)} ${x2 - bend} ${y(to)} ${x2} ${y(to)}`}><title>{`AS${edge.from} to AS${edge.to}: ${edge.paths} paths`}</title></path>;
}
