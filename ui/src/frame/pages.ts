// The pages that have a tab, in their order: address, and title.

export const PAGES: [string, string][] = [
  ["oncall", "On-call"], ["rollouts", "Rollouts"], ["fleet", "Fleet"], ["incidents", "Incidents"],
  ["catchments", "Catchments"], ["debug", "Debug"], ["executive", "Executive"], ["audit", "Audit"],
];
