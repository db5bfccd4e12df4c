"""What the firewall can only tell from what came before. A check changes nothing; what was decided is noted afterwards."""
