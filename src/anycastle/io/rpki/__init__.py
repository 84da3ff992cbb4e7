"""VRPs and ASPAs from validators: JSON exports of rpki-client and Routinator, and caches that speak RTR."""
